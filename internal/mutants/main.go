package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type mutant struct {
	name, defence, file string
	test                []string
	old, new            string
}

func main() {
	killed, all, err := run("internal/mutants/testdata")
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	fmt.Printf("killed %d of %d\n", killed, all)
	if killed != all {
		os.Exit(1)
	}
}

func run(dir string) (killed, all int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.mutant"))
	if err != nil || len(files) == 0 {
		return 0, 0, errors.Join(err, fmt.Errorf("no mutants in %s: run this from the root of the module", dir))
	}
	work, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(work)
	if err := copyModule(".", work); err != nil {
		return 0, 0, err
	}
	for _, file := range files {
		m, err := read(file)
		if err != nil {
			return killed, all, err
		}
		all++
		dead, err := m.try(work)
		if err != nil {
			return killed, all, fmt.Errorf("%s: %w", m.name, err)
		}
		if dead {
			killed++
			fmt.Printf("killed    %s: %s\n", m.name, m.defence)
		} else {
			fmt.Printf("SURVIVED  %s: %s\n", m.name, m.defence)
		}
	}
	return killed, all, nil
}

// copyModule copies what tests need: everything but hidden directories.
func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != from && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), data, 0o644)
	})
}

func read(path string) (mutant, error) {
	m := mutant{name: strings.TrimSuffix(filepath.Base(path), ".mutant")}
	data, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	head, body, ok := strings.Cut(string(data), "--- old\n")
	if !ok {
		return m, fmt.Errorf("%s: no line --- old", path)
	}
	if m.old, m.new, ok = strings.Cut(body, "--- new\n"); !ok {
		return m, fmt.Errorf("%s: no line --- new", path)
	}
	for _, line := range strings.Split(head, "\n") {
		switch key, value, _ := strings.Cut(line, " "); key {
		case "#":
			m.defence = strings.TrimSpace(m.defence + " " + value)
		case "file":
			m.file = value
		case "test":
			m.test = strings.Fields(value)
		}
	}
	if m.file == "" || len(m.test) == 0 || m.defence == "" {
		return m, fmt.Errorf("%s: wants a line '# defence', 'file PATH' and 'test ARGS'", path)
	}
	return m, nil
}

// try removes the defence in the copy, runs the tests, and puts it back.
func (m mutant) try(work string) (dead bool, err error) {
	path := filepath.Join(work, m.file)
	before, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(before), m.old); n != 1 {
		return false, fmt.Errorf("its old text stands %d times in %s, want once: bring the mutant up to date", n, m.file)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(before), m.old, m.new, 1)), 0o644); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, before, 0o644)) }()
	if out, err := command(work, "vet", "./"+filepath.Dir(m.file)); err != nil {
		return false, fmt.Errorf("does not compile:\n%s", out)
	}
	out, err := command(work, append([]string{"test", "-count=1"}, m.test...)...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &exit) && bytes.Contains(out, []byte("FAIL")):
		return true, nil
	}
	return false, fmt.Errorf("go test: %w\n%s", err, out)
}

func command(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}
