package conformance

import (
	"bufio"
	"bytes"
	"cmp"
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
	return ReadFiles(dir, func(name string, r io.Reader) ([]*Case, error) {
		cases, err := Read(r)
		family := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		for _, c := range cases {
			if c.Family == "" {
				c.Family = family
			}
		}
		return cases, err
	})
}

// ReadFiles is ReadDir for cases of any kind.
func ReadFiles[C any](dir fs.FS, read func(name string, r io.Reader) ([]C, error)) ([]C, error) {
	names, err := fs.Glob(dir, "*.jsonl")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []C
	for _, name := range names {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		cases, err := read(name, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("conformance: %s: %w", name, err)
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
	return ReadLines(r, func(line int, text []byte) *Case {
		c := &Case{}
		c.broken = readCase(text, c)
		if c.Name == "" {
			c.Name = fmt.Sprintf("line %d", line)
			c.broken = cmp.Or(c.broken, errors.New("conformance: the case has no name"))
		}
		return c
	})
}

// ReadLines makes a case of each line that is not empty. Lines are numbered from 1.
func ReadLines[C any](r io.Reader, read func(line int, text []byte) C) ([]C, error) {
	var cases []C
	in := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(text)) > 0 {
			cases = append(cases, read(line, text))
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
