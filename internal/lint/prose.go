package lint

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Programs returns the Go programs in a Markdown text: its fenced blocks of Go that are a package main.
func Programs(markdown string) []string {
	var programs []string
	for _, block := range strings.Split(markdown, "\n```go\n")[1:] {
		text, _, closed := strings.Cut(block, "\n```")
		if closed && strings.HasPrefix(text, "package main\n") {
			programs = append(programs, text+"\n")
		}
	}
	return programs
}

var (
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Example|Benchmark)[A-Z]\w*`)
	link     = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	testLink = regexp.MustCompile(`\[((?:Test|Fuzz|Example|Benchmark)\w*)\]\(([^)#:]+_test\.go)\)`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)\w*)\(`)
)

// Prose checks that the tests and files a Markdown file of the root folder names exist.
func Prose(m *Module, fsys fs.FS, markdown string) ([]Problem, error) {
	text, err := fs.ReadFile(fsys, markdown)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	tests, places := map[string]bool{}, map[string]bool{}
	for _, f := range m.Files {
		if f.Test {
			for _, found := range testFunc.FindAllSubmatch(f.Text, -1) {
				tests[string(found[1])] = true
				places[f.Path+" "+string(found[1])] = true
			}
		}
	}
	var ps []Problem
	n, code := 0, false
	for line := range strings.Lines(string(text)) {
		n++
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if code {
			continue
		}
		for _, name := range testName.FindAllString(line, -1) {
			if !tests[name] {
				ps = append(ps, Problem{Path: markdown, Line: n, Text: "there is no " + name + " in the project"})
			}
		}
		for _, found := range testLink.FindAllStringSubmatch(line, -1) {
			if tests[found[1]] && !places[found[2]+" "+found[1]] {
				ps = append(ps, Problem{Path: markdown, Line: n, Text: found[1] + " is not in " + found[2]})
			}
		}
		for _, target := range link.FindAllStringSubmatch(line, -1) {
			if _, err := fs.Stat(fsys, strings.TrimSuffix(target[1], "/")); err != nil {
				ps = append(ps, Problem{Path: markdown, Line: n, Text: "a link to nowhere: " + target[1]})
			}
		}
	}
	return ps, nil
}
