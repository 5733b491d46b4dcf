package lint

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

const goBlock = "\n```go\n"

// Programs returns the Go programs in a Markdown text: its fenced blocks of Go that are a package main.
func Programs(markdown string) []string {
	var programs []string
	for _, block := range strings.Split(markdown, goBlock)[1:] {
		if text, _, closed := strings.Cut(block, "\n```"); closed && strings.HasPrefix(text, packageMain) {
			programs = append(programs, text+"\n")
		}
	}
	return programs
}

const packageMain = "package main\n"

// Snippets checks that the other blocks of Go in a Markdown file are text of some file of the project, where they are compiled. How
// far lines are indented does not matter.
func Snippets(m *Module, fsys fs.FS, markdown string) ([]Problem, error) {
	text, err := fs.ReadFile(fsys, markdown)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	var ps []Problem
	n := 1
	for i, block := range strings.Split(string(text), goBlock) {
		snippet, _, closed := strings.Cut(block, "\n```")
		if i > 0 && closed && !strings.HasPrefix(snippet, packageMain) && !somewhere(m, snippet) {
			ps = append(ps, Problem{Path: markdown, Line: n, Text: "no Go file of the project has this block: take it from a test or an example, so that it compiles"})
		}
		n += strings.Count(block+goBlock, "\n")
	}
	return ps, nil
}

// somewhere reports whether a file has the lines of a snippet.
func somewhere(m *Module, snippet string) bool {
	want := "\n" + flush(snippet) + "\n"
	for _, f := range m.Files {
		if strings.Contains("\n"+flush(string(f.Text))+"\n", want) {
			return true
		}
	}
	return false
}

// flush takes the indentation away.
func flush(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

var (
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Example|Benchmark)[A-Z]\w*`)
	link     = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	testLink = regexp.MustCompile(`\[((?:Test|Fuzz|Example|Benchmark)\w*)\]\(([^)#:]+_test\.go)\)`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)\w*)\(`)
)

// Prose checks that the tests and files a Markdown file names exist.
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
	n, code, here := 0, false, path.Dir(markdown)
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
			if tests[found[1]] && !places[path.Join(here, found[2])+" "+found[1]] {
				ps = append(ps, Problem{Path: markdown, Line: n, Text: found[1] + " is not in " + found[2]})
			}
		}
		for _, target := range link.FindAllStringSubmatch(line, -1) {
			if _, err := fs.Stat(fsys, path.Join(here, target[1])); err != nil {
				ps = append(ps, Problem{Path: markdown, Line: n, Text: "a link to nowhere: " + target[1]})
			}
		}
	}
	return ps, nil
}
