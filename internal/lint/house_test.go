package lint

import (
	"os"
	"testing"
)

// project loads the module this test belongs to.
func project(t *testing.T) *Module {
	t.Helper()
	m, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func report(t *testing.T, ps []Problem) {
	t.Helper()
	for _, p := range ps {
		t.Error(p)
	}
}

func TestHouse(t *testing.T) { report(t, House(project(t))) }
