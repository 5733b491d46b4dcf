package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// longest is the most bytes of a line that become one record; a longer one is cut between two words.
const longest = 256 << 10

// eachLine calls f with every line of the text, in an order that is always the same: a file, a folder (all regular files below it,
// by name), or "-" for standard input.
func eachLine(input string, f func(line string) error) error {
	if input == "-" {
		return lines(os.Stdin, f)
	}
	return filepath.WalkDir(input, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := lines(file, f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}

// lines splits a text at line feeds, and cuts what is too long for a record.
func lines(r io.Reader, f func(line string) error) error {
	in := bufio.NewReaderSize(r, longest)
	var rest []byte // the tail of a long line that may be the beginning of a word
	for {
		part, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		whole := err == nil || errors.Is(err, io.EOF)
		line := append(rest, part...)
		rest = nil
		if !whole {
			cut := lastGap(line)
			line, rest = line[:cut], append([]byte(nil), line[cut:]...)
		}
		if line = bytes.TrimRight(line, "\n"); len(line) > 0 {
			if err := f(string(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

// lastGap returns the end of the last rune that is no part of a word, so that a cut there cuts no word; the end when there is none.
func lastGap(line []byte) int {
	for end := len(line); end > 0; {
		r, n := utf8.DecodeLastRune(line[:end])
		// The last bytes may be the beginning of a rune: they stay with what follows.
		if !isWord(r) && !(r == utf8.RuneError && len(line)-end < utf8.UTFMax) {
			return end
		}
		end -= n
	}
	return len(line)
}

// sources is text that is on any machine with Go.
func sources() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("no Go to take sources of (%w): name a text with -input", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "src", "net")
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("no Go sources to count (%w): name a text with -input", err)
	}
	return dir, nil
}
