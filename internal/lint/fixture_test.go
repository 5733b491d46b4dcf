package lint

import (
	"strings"
	"testing"
	"testing/fstest"
)

// module makes a module of files given as path and text, in memory.
func module(t *testing.T, files map[string]string) *Module {
	t.Helper()
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module example.com/m\n\ngo 1.27\n")}}
	for p, text := range files {
		fsys[p] = &fstest.MapFile{Data: []byte(text)}
	}
	m, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// expect compares problems with the beginnings of what they should say, in order.
func expect(t *testing.T, got []Problem, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.HasPrefix(got[i].String(), want[i])
	}
	if !ok {
		t.Errorf("found %d problems:\n\t%s\nwant %d:\n\t%s", len(got), join(got), len(want), strings.Join(want, "\n\t"))
	}
}

func join(ps []Problem) string {
	var lines []string
	for _, p := range ps {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n\t")
}
