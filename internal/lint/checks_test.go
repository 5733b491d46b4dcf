package lint

import (
	"strings"
	"testing"
)

const (
	low  = "package low\n"
	high = "package high\n\nimport _ \"example.com/m/low\"\n"
)

func TestFloorsAcceptsImportsOfLowerFloors(t *testing.T) {
	m := module(t, map[string]string{
		"low/low.go": low, "high/high.go": high, "tools/a/a.go": "package a\n\nimport _ \"example.com/m/tools/b\"\n", "tools/b/b.go": "package b\n\nimport _ \"example.com/m/high\"\n",
		// Tests may look up: an example of a verb runs on the driver above it.
		"low/low_test.go": "package low_test\n\nimport _ \"example.com/m/high\"\n",
	})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {"high", "low", "top"}, {"tools/...", Anything, "programs"}}))
}

func TestFloorsFindsAnImportOfAHigherFloor(t *testing.T) {
	m := module(t, map[string]string{"low/low.go": "package low\n\nimport _ \"example.com/m/high\"\n", "high/high.go": "package high\n"})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {"high", "", "top"}}),
		"low/low.go:3: low must not import high (bottom)")
}

func TestFloorsFindsAnImportAcross(t *testing.T) {
	m := module(t, map[string]string{"a/a.go": "package a\n", "b/b.go": "package b\n\nimport _ \"example.com/m/a\"\n"})
	expect(t, Floors(m, []Floor{{"a", "", "one"}, {"b", "", "the other"}}), "b/b.go:3: b must not import a (the other)")
}

func TestFloorsFindsAnImportUnderAnotherBuildTag(t *testing.T) {
	m := module(t, map[string]string{"low/tagged.go": "//go:build rare\n\npackage low\n\nimport _ \"example.com/m\"\n", "m.go": "package m\n"})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {".", "", "root"}}), "low/tagged.go:5: low must not import .")
}

func TestFloorsRefusesATableThatPointsUp(t *testing.T) {
	m := module(t, map[string]string{"low/low.go": low, "high/high.go": high})
	expect(t, Floors(m, []Floor{{"high", "low", "first"}, {"low", "", "second"}}), "high: the table lets it import low, which has no row on a lower floor")
}

func TestFloorsMissesNoPackageAndKeepsNoStaleRow(t *testing.T) {
	m := module(t, map[string]string{"low/low.go": low, "high/high.go": high})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {"gone", "", "was here"}}),
		"high: a package without a row", "gone: a row in the table of floors without a package")
}

func TestFloorsKeepsNoStaleEdge(t *testing.T) {
	m := module(t, map[string]string{"low/low.go": low, "high/high.go": "package high\n", "high/high_test.go": high})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {"high", "low", "top"}}), "high: the table of floors lets it import low, and it does not")
}

func TestAnythingIsAllThatIsBelow(t *testing.T) {
	m := module(t, map[string]string{"low/low.go": low, "mid/mid.go": "package mid\n\nimport (\n\t_ \"example.com/m/high\"\n\t_ \"example.com/m/low\"\n)\n", "high/high.go": "package high\n"})
	expect(t, Floors(m, []Floor{{"low", "", "bottom"}, {"mid", Anything, "middle"}, {"high", "", "top"}}), "mid/mid.go:4: mid must not import high")
}

func TestWallsFindsALeakedDependency(t *testing.T) {
	leak := "package x\n\nimport _ \"github.com/twmb/franz-go/pkg/kgo\"\n"
	m := module(t, map[string]string{"txn/x.go": leak, "task/x.go": leak, "task/x_test.go": leak, "bench/a/x.go": leak})
	walls := []Wall{{Dependency: "github.com/twmb/franz-go", Allowed: []Floor{{Package: "txn"}, {Package: "bench/..."}}, Why: "the client stops here"}}
	expect(t, Walls(m, walls),
		"task/x.go:3: task must not import github.com/twmb/franz-go/pkg/kgo: the client stops here",
		"task/x_test.go:3: task must not import")
}

func TestLinkedFindsADependencyOfADependency(t *testing.T) {
	got := Linked([]string{"fmt", "github.com/cockroachdb/pebble/v2/vfs", "github.com/cockroachdb/errors"}, "github.com/twmb/franz-go", "github.com/cockroachdb/pebble")
	if len(got) != 1 || got[0] != "github.com/cockroachdb/pebble/v2/vfs" {
		t.Errorf("Linked = %q", got)
	}
}

func TestHouseAcceptsATidyPackage(t *testing.T) {
	expect(t, House(module(t, map[string]string{
		"tidy/doc.go": "// Package tidy is tidy.\npackage tidy\n",
		"tidy/tidy.go": `package tidy

import "log/slog"

// Limits of a T.
const (
	Least = 1
	Most  = 2
)

type (
	// T is one.
	T struct{ Field int }
	U int // is another
	v struct{}
)

const (
	First U = iota
	Second
)

// Run logs to the logger of its config.
func (t *T) Run(l *slog.Logger) { l.Info("ran") }

func (t *T) String() string { return "" }

func (v) Exported() {}

// Or returns the program's logger if none is given.
func Or(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}

func (t *T) init() {}

// The methods of io.ReadCloser.

func (t *T) Read([]byte) (int, error) { return 0, nil }

func (t *T) Close() error { return nil }
`,
		"cmd/x/main.go": "// Command x prints.\npackage main\n\nimport \"log\"\n\nfunc main() { log.Print() }\n\nfunc Undocumented() {}\n",
	})))
}

func TestHouseFindsMissingPackageComments(t *testing.T) {
	expect(t, packageComments(module(t, map[string]string{
		"a/a.go":        "package a\n",
		"b/b.go":        "// Package b has its comment in the wrong file.\npackage b\n",
		"c/doc.go":      "package c\n",
		"d/d_test.go":   "// Package d has tests only.\npackage d\n",
		"cmd/e/main.go": "package main\n",
	})), "a: no doc.go", "b: no doc.go", "c: no doc.go", "cmd/e: a program without", "d: no doc.go")
}

func TestHouseFindsUndocumentedExports(t *testing.T) {
	expect(t, exportedComments(module(t, map[string]string{"a/a.go": `package a

func F() {}

type T[K any] struct{}

func (t *T[K]) Method() {}

func (t T[K]) Error() string { return "" }

func Error() {}

const C = 1

// Two types.
type (
	A int
	B int // said
)

var (
	private, Public = 1, 2
)

var Typed int

// The methods of fmt.GoStringer.

func (t *T[K]) GoString() string { return "" }

type other struct{}

func (t *T[K]) After() {}
`})), "a/a.go:3: F ", "a/a.go:5: T ", "a/a.go:7: Method ", "a/a.go:11: Error ", "a/a.go:13: C ", "a/a.go:17: A ", "a/a.go:22: Public ", "a/a.go:25: Typed ", "a/a.go:33: After ")
}

func TestHouseFindsLongFiles(t *testing.T) {
	text := func(lines int) string { return "package a\n" + strings.Repeat("//\n", lines-2) + "//" }
	expect(t, fileSizes(module(t, map[string]string{"a/just.go": text(MaxLines), "a/long.go": text(MaxLines + 1)})),
		"a/long.go: 601 lines, more than 600")
}

func TestHouseFindsUnfinishedWork(t *testing.T) {
	word := "TO" + "DO"
	expect(t, unfinished(module(t, map[string]string{"a/a.go": "package a\n\n// " + word + ": more\n// " + word + "S\nvar _ = \"FIX" + "ME\"\n"})),
		"a/a.go:3: "+word, "a/a.go:5: FIX"+"ME")
}

func TestHouseFindsInit(t *testing.T) {
	expect(t, initFunctions(module(t, map[string]string{"a/a.go": "package a\n\nfunc init() {}\n"})), "a/a.go:3: an init function")
}

func TestHouseFindsGlobalLoggers(t *testing.T) {
	expect(t, globalLoggers(module(t, map[string]string{"a/a.go": `package a

import (
	"log"
	other "log/slog"
)

var (
	one   = other.Default()
	two   *other.Logger
	three = log.New(nil, "", 0)
	four  = func() { other.Default() }
	five  other.Level
)

func f() {
	other.Info("to whom?")
	log.Printf("hm")
	other.String("k", "v")
}
`, "a/a_test.go": "package a\n\nimport \"log\"\n\nvar l = log.Default()\n"})),
		"a/a.go:9: a logger", "a/a.go:10: a logger", "a/a.go:11: a logger",
		"a/a.go:17: log/slog.Info", "a/a.go:18: log.Printf")
}

func TestHouseFindsVagueNames(t *testing.T) {
	expect(t, vagueNames(module(t, map[string]string{
		"util/x.go":      "package util\n",
		"a/a_helpers.go": "package a\n",
		"a/fine.go":      "package a\n\ntype TaskManager struct{}\n",
		"a/simplify.go":  "package a\n",
	})), "util: util says nothing", "a/a_helpers.go: helpers says nothing", "a/fine.go:3: TaskManager says nothing")
}

func TestLoadLeavesOutWhatGoLeavesOut(t *testing.T) {
	m := module(t, map[string]string{
		"a/a.go": "package a\n", "a/testdata/b.go": "not Go", ".hidden/c.go": "not Go", "_old/d.go": "not Go",
		"other/go.mod": "module other\n", "other/e.go": "not Go",
	})
	if got := m.Packages(); len(got) != 1 || got[0] != "a" {
		t.Errorf("packages %q; want only a", got)
	}
}
