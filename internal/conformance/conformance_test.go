package conformance

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/pending.txt anew")

// corpus returns the recorded cases of the project.
func corpus(t *testing.T) []*Case {
	t.Helper()
	cases, err := ReadDir(os.DirFS("testdata/cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// pending are the cases that are known not to be identical yet.
const pending = "testdata/pending.txt"

func readPending(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(pending)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// Every recorded case is identical, but those that are listed; a listed case that is identical is a mistake in the list.
func TestCasesAreIdenticalToTheRecording(t *testing.T) {
	listed := readPending(t)
	var differ []string
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			diff := Check(c, Options{})
			if intended(c) {
				return
			}
			if diff != nil {
				differ = append(differ, c.Name)
			}
			switch known := slices.Contains(listed, c.Name); {
			case *rewrite:
			case diff != nil && !known:
				t.Error(diff)
			case diff == nil && known:
				t.Errorf("identical, but listed in %s: take it off the list", pending)
			}
		})
	}
	for _, name := range listed {
		if !*rewrite && !slices.Contains(differ, name) && !t.Failed() {
			t.Errorf("%s lists %s, and there is no such case", pending, name)
		}
	}
	if *rewrite {
		if err := os.WriteFile(pending, []byte(strings.Join(append(differ, ""), "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Where Kafka Streams has a fault, Millrace does what is written down instead.
func TestFaultsAreNotCopied(t *testing.T) {
	own, err := Instead()
	if err != nil || len(own) != 2 {
		t.Fatalf("%d cases, %v", len(own), err)
	}
	recorded := corpus(t)
	for _, c := range own {
		t.Run(c.Name, func(t *testing.T) {
			if diff := Check(c, Options{Own: true}); diff != nil {
				t.Error(diff)
			}
			i := slices.IndexFunc(recorded, func(r *Case) bool { return r.Name == c.Name })
			if i < 0 || !c.asks(recorded[i]) {
				t.Fatal("it is not the recorded case")
			}
			seen, _, err := Run(c, Options{Own: true})
			if err != nil || recorded[i].Compare(seen) == nil {
				t.Errorf("it does not differ from the recording: %v", err)
			}
		})
	}
}

// Where no function meets a null, plain types do the same as nullable ones.
func TestCasesWithoutNullsAreIdenticalWithPlainTypes(t *testing.T) {
	listed := readPending(t)
	for _, c := range corpus(t) {
		if slices.Contains(listed, c.Name) {
			continue
		}
		if _, nulls, err := Run(c, Options{}); nulls || err != nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if diff := Check(c, Options{Plain: true}); diff != nil {
				t.Error(diff)
			}
		})
	}
}

// What the interpreter has no meaning for fails the case.
func TestUnknownWordsFailTheCase(t *testing.T) {
	base := func(node string) string {
		return fmt.Sprintf(`{"name":"n","family":"f","app":"app",
			"config":{"cacheBytes":0,"optimization":"none","explicitNames":true,"guarantee":"at_least_once","stores":"rocksDB","outerJoinEmitMs":0,"windowCloseEmitMs":0,"wallClockMs":0},
			"topology":[{"op":"stream","id":"s","topics":["in"]},%s],
			"steps":[],"expected":{"topics":{},"stores":{},"dropped":0}}`, node)
	}
	known := `{"op":"filter","id":"f","in":"s","fn":"true"}`
	for name, line := range map[string]string{
		"operation":       base(`{"op":"filtrate","id":"f","in":"s","fn":"true"}`),
		"field":           base(`{"op":"filter","id":"f","in":"s","fn":"true","how":"fast"}`),
		"function":        base(`{"op":"filter","id":"f","in":"s","fn":"even"}`),
		"input":           base(`{"op":"filter","id":"f","in":"t","fn":"true"}`),
		"kind of value":   base(`{"op":"filter","id":"f","in":"s","fn":7}`),
		"config":          strings.Replace(base(known), `"cacheBytes":0`, `"cacheBytes":0,"threads":2`, 1),
		"word of config":  strings.Replace(base(known), `"rocksDB"`, `"floppy"`, 1),
		"field of a case": strings.Replace(base(known), `"app":"app"`, `"app":"app","mood":"good"`, 1),
		"no JSON":         `{`,
	} {
		t.Run(name, func(t *testing.T) {
			cases, err := Read(strings.NewReader(strings.ReplaceAll(line, "\n", " ")))
			if err != nil || len(cases) != 1 {
				t.Fatal(cases, err)
			}
			if d := Check(cases[0], Options{}); d == nil {
				t.Error("identical")
			}
		})
	}
	cases, err := Read(strings.NewReader(strings.ReplaceAll(base(known), "\n", " ")))
	if err != nil || len(cases) != 1 || Check(cases[0], Options{}) != nil {
		t.Errorf("the case without a mistake is not identical: %v %v", err, Check(cases[0], Options{}))
	}
}
