package lint

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// pages returns the Markdown files for readers.
func pages(t *testing.T) []string {
	t.Helper()
	guides, err := fs.Glob(os.DirFS("../.."), "docs/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides in docs/: %v", err)
	}
	return append(guides, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
}

func TestPagesNameTestsAndFilesThatExist(t *testing.T) {
	m := whole(t)
	for _, page := range pages(t) {
		ps, err := Prose(m, os.DirFS("../.."), page)
		if err != nil {
			t.Error(err)
		}
		report(t, ps)
	}
}

// What a guide shows is what a reader copies.
func TestSnippetsOfGuidesAreCompiledSomewhere(t *testing.T) {
	m := whole(t)
	for _, page := range pages(t) {
		if !strings.HasPrefix(page, "docs/") {
			continue
		}
		ps, err := Snippets(m, os.DirFS("../.."), page)
		if err != nil {
			t.Error(err)
		}
		report(t, ps)
	}
}

// The programs in the README are what a newcomer copies first.
func TestReadmeProgramsCompile(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := Programs(string(readme))
	if len(programs) == 0 {
		t.Fatal("README.md shows no program: want a block of Go that begins with package main")
	}
	for i, program := range programs {
		if out, err := compile(t, program); err != nil {
			t.Errorf("program %d of README.md: %v\n%s", i+1, err, out)
		}
	}
}

func TestCompileFindsWhatDoesNotCompile(t *testing.T) {
	if out, err := compile(t, "package main\n\nfunc main() { nowhere() }\n"); err == nil || !strings.Contains(out, "nowhere") {
		t.Errorf("compiling a broken program: %v\n%s", err, out)
	}
}

// compile compiles a program as if it were a package of this module, without linking it.
func compile(t *testing.T, program string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "main.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "internal", "lint", "program", "main.go"): file,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"main.go": []byte(program), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "list", "-export", "-overlay", filepath.Join(dir, "overlay.json"), "./internal/lint/program")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestProgramsAreTheMainsOnly(t *testing.T) {
	got := Programs("text\n```go\nfunc part() {}\n```\n```sh\nmake\n```\n```go\npackage main\n\nfunc main() {}\n```\nmore\n")
	if len(got) != 1 || got[0] != "package main\n\nfunc main() {}\n" {
		t.Errorf("Programs = %q", got)
	}
}

func TestProseFindsTestsAndFilesThatAreGone(t *testing.T) {
	m := module(t, map[string]string{"a/a_test.go": "package a\n\nfunc TestHere(t *testing.T) {}\n", "a/b_test.go": "package a\n"})
	fsys := fstest.MapFS{
		"a/a.go": {}, "a/a_test.go": {}, "a/b_test.go": {},
		"README.md": {Data: []byte("`TestHere` and `TestGone`, [a](a/a.go), [tree](a/), [b](b.md#part), [web](https://example.com/x)\n" +
			"```go\nfunc TestInCode()\n```\n[c](c.md)\n[TestHere](a/a_test.go), [TestHere](a/b_test.go)\n")},
	}
	got, err := Prose(m, fsys, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "README.md:1: there is no TestGone", "README.md:1: a link to nowhere: b.md", "README.md:5: a link to nowhere: c.md",
		"README.md:6: TestHere is not in a/b_test.go")
}

func TestLinksOfAGuideBeginAtItsFolder(t *testing.T) {
	m := module(t, map[string]string{"a/a_test.go": "package a\n\nfunc TestHere(t *testing.T) {}\n"})
	fsys := fstest.MapFS{"a/a_test.go": {}, "docs/b.md": {}, "README.md": {},
		"docs/a.md": {Data: []byte("[TestHere](../a/a_test.go), [b](b.md), [r](../README.md)\n[lost](README.md)\n")}}
	got, err := Prose(m, fsys, "docs/a.md")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got, "docs/a.md:2: a link to nowhere: README.md")
}

func TestSnippetsFindsABlockThatNoFileHas(t *testing.T) {
	m := module(t, map[string]string{"a/a.go": "package a\n\nfunc f() {\n\tg()\n\tif x {\n\t\th()\n\t}\n}\n"})
	fsys := fstest.MapFS{"docs/a.md": {Data: []byte("text\n```go\ng()\nif x {\n\th()\n}\n```\nmore\n```go\ng()\nh()\n```\n```sh\nls\n```\n```go\nx\n```\n```go\npackage main\n\nfunc main() {}\n```\n")}}
	got, err := Snippets(m, fsys, "docs/a.md")
	if err != nil {
		t.Fatal(err)
	}
	const text = ": no Go file of the project has this block: take it from a test or an example, so that it compiles"
	expect(t, got, "docs/a.md:10"+text, "docs/a.md:17"+text)
}
