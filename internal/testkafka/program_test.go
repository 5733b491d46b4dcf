package testkafka

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// project makes a Maven project, and a Maven that builds any: it copies the sources, and notes each run in the file returned.
func project(t *testing.T) (dir, runs string) {
	dir, runs = filepath.Join(t.TempDir(), "shop"), filepath.Join(t.TempDir(), "runs")
	if err := os.MkdirAll(filepath.Join(dir, "src"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pom.xml"), "<project/>")
	write(t, filepath.Join(dir, "src", "Shop.java"), "class Shop {}")
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(script(t, "java", `echo 'openjdk version "17"'`), filepath.Join(home, "bin", "java")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", home)
	onPath(t, script(t, "mvn", "echo run >>"+runs+"\nmkdir -p target/libs && cp -r src target/classes\n"))
	return dir, runs
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProgramIsBuiltOncePerSources(t *testing.T) {
	dir, runs := project(t)
	cache := filepath.Join(t.TempDir(), ".kafka")
	for _, step := range []struct {
		source, runs string
	}{
		{"class Shop {}", "run\n"},
		{"class Shop {}", "run\n"},
		{"class Shop { int i; }", "run\nrun\n"},
	} {
		write(t, filepath.Join(dir, "src", "Shop.java"), step.source)
		p, err := buildProgram(t.Context(), cache, dir)
		if err != nil {
			t.Fatal(err)
		}
		classes, _, _ := strings.Cut(p.ClassPath, string(filepath.ListSeparator))
		if got := read(t, filepath.Join(classes, "Shop.java")); got != step.source {
			t.Errorf("built from %q; want %q", got, step.source)
		}
		if got := read(t, runs); got != step.runs {
			t.Errorf("Maven ran %d times; want %d", strings.Count(got, "run"), strings.Count(step.runs, "run"))
		}
	}
}

func TestProgramThatDoesNotCompileIsAMistakeNotAMissingKafka(t *testing.T) {
	dir, _ := project(t)
	onPath(t, script(t, "mvn", "echo '[ERROR] COMPILATION ERROR :'; exit 1"))
	_, err := buildProgram(t.Context(), t.TempDir(), dir)
	if _, ok := errors.AsType[*Missing](err); ok || err == nil || !strings.Contains(err.Error(), "does not compile") {
		t.Errorf("BuildProgram = %v; want an error that fails tests", err)
	}
}
