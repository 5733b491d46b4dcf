package conformance

import (
	"os"
	"strings"
	"testing"
)

// FuzzRead: a line is a case that runs, or one that says why it does not. Steps are left out: a case may feed itself for ever.
func FuzzRead(f *testing.F) {
	for _, family := range []string{"table", "window-time", "join-stream", "join-foreign", "suppress", "processor", "versioned"} {
		text, err := os.ReadFile("testdata/cases/" + family + ".jsonl")
		if err != nil {
			f.Fatal(err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		f.Add(line)
	}
	f.Add(`{"name":"n"`)
	f.Add(`{"name":"n","topology":[{"op":"stream","id":"s"}],"config":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if c.Name == "" {
				t.Errorf("%q has no name", text)
			}
			c.Steps = nil
			if d := Check(c, Options{}); d != nil && d.String() == "" {
				t.Errorf("%s differs, and nothing says how", c.Name)
			}
		}
	})
}
