package testkafka

import (
	"os"
	"path/filepath"
	"testing"
)

// script writes a program for the shell and returns its path. It stands for Java or Maven where a test is about what is
// done with them.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// onPath makes a script the only program of its name, and all but the basic ones disappear.
func onPath(t *testing.T, path string) {
	t.Helper()
	t.Setenv("PATH", filepath.Dir(path)+":/usr/bin:/bin")
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
