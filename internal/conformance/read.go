package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// ReadDir reads the cases of all .jsonl files of a folder, files in the order of their names. A folder without cases is an
// error.
func ReadDir(dir fs.FS) ([]*Case, error) {
	names, err := fs.Glob(dir, "*.jsonl")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []*Case
	for _, name := range names {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		cases, err := Read(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("conformance: %s: %w", name, err)
		}
		family := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		for _, c := range cases {
			if c.Family == "" {
				c.Family = family
			}
		}
		all = append(all, cases...)
	}
	if len(all) == 0 {
		return nil, errors.New("conformance: no cases: want .jsonl files, one case per line")
	}
	return all, nil
}

// Read reads cases, one per line. A line that is no case, or has a field nobody knows, is a case that fails.
func Read(r io.Reader) ([]*Case, error) {
	var cases []*Case
	in := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if len(strings.TrimSpace(string(text))) > 0 {
			c := &Case{}
			if c.broken = readCase(text, c); c.broken != nil && c.Name == "" {
				c.Name = fmt.Sprintf("line %d", line)
			}
			cases = append(cases, c)
		}
		if err == io.EOF {
			return cases, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func readCase(text []byte, c *Case) (err error) {
	defer func() {
		if p := recover(); p != nil {
			u, ok := p.(Unknown)
			if !ok {
				panic(p)
			}
			err = u
		}
	}()
	if err := strict(text, c); err != nil {
		return err
	}
	return c.check()
}
