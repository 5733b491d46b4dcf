package lint

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var pages = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"}

func TestPagesNameTestsAndFilesThatExist(t *testing.T) {
	m := whole(t)
	for _, page := range pages {
		ps, err := Prose(m, os.DirFS("../.."), page)
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
