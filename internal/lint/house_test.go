package lint

import (
	"os"
	"path"
	"strings"
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

// nested are the modules inside the module: what only tests need is downloaded by nobody else.
var nested = []string{"kafkatest", "integration"}

// whole loads the module and those inside it, as if they were one.
func whole(t *testing.T) *Module {
	t.Helper()
	m := project(t)
	for _, dir := range nested {
		inner, err := Load(os.DirFS("../../" + dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range inner.Files {
			f.Path, f.Package = path.Join(dir, f.Path), path.Join(dir, f.Package)
		}
		m.Files = append(m.Files, inner.Files...)
	}
	return m
}

func report(t *testing.T, ps []Problem) {
	t.Helper()
	for _, p := range ps {
		t.Error(p)
	}
}

func TestHouse(t *testing.T) {
	report(t, House(project(t)))
	for _, dir := range nested {
		m, err := Load(os.DirFS("../../" + dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range House(m) {
			t.Errorf("%s/%v", dir, p)
		}
	}
}

// A service that imports the library must not come to know Testcontainers.
func TestOnlyNestedModulesKnowTestcontainers(t *testing.T) {
	for dir, want := range map[string]bool{".": false, "kafkatest": true} {
		mod, err := os.ReadFile("../../" + dir + "/go.mod")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(mod), "testcontainers"); got != want {
			t.Errorf("%s/go.mod names testcontainers: %v; want %v", dir, got, want)
		}
	}
}
