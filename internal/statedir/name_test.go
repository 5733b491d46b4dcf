package statedir

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestTaskFoldersAreNamedByStoresAndPartition(t *testing.T) {
	long := strings.Repeat("a", 100)
	for _, c := range []struct {
		stores    []string
		partition int32
		want      string
	}{
		{[]string{"counts"}, 3, "counts@3"},
		{[]string{"totals", "counts", "totals"}, 0, "counts+totals@0"},
		{[]string{"word-count_2.x"}, 12, "word-count_2.x@12"},
		{[]string{"Counts"}, 3, "%43ounts@3"},
		{[]string{"counts+totals"}, 3, "counts%2btotals@3"},
		{[]string{"a@1", "b~c", "d%", ".."}, 3, "%2e.+a%401+b%7ec+d%25@3"},
		{[]string{"../../etc", `c:\x`, "grün", "\x00"}, 3, "%00+%2e.%2f..%2fetc+c%3a%5cx+gr%c3%bcn@3"},
		{nil, 3, "@3"},
		{[]string{""}, 3, "%@3"},
		{[]string{long, long + "b"}, 3, long + "+" + strings.Repeat("a", 46) + "~2d916605774d60bac0338ecd24e64b0e@3"},
	} {
		if got := taskName(c.stores, c.partition); got != c.want {
			t.Errorf("%q, %d: %s, want %s", c.stores, c.partition, got, c.want)
		}
	}
}

func TestLongNamesAreToldApart(t *testing.T) {
	long := strings.Repeat("a", 300)
	seen := map[string]bool{}
	for _, stores := range [][]string{{long}, {long + "b"}, {long, "b"}, {long + "c"}, {"b" + long}, {strings.ToUpper(long)}} {
		name := taskName(stores, 3)
		if seen[name] || len(name) > 255 {
			t.Errorf("%d bytes: %s", len(name), name)
		}
		seen[name] = true
		if got, p, ok := parseTask(name); !ok || p != 3 || got != nil {
			t.Errorf("%s: %v, %d, %v", name, got, p, ok)
		}
	}
}

func FuzzTaskName(f *testing.F) {
	f.Add("counts", "totals", int32(3))
	f.Add("", "", int32(0))
	f.Add("A+b@1~%", "../x", int32(-1))
	f.Fuzz(func(t *testing.T, a, b string, partition int32) {
		want := []string{a, b}
		slices.Sort(want)
		want = slices.Compact(want)
		name := taskName([]string{a, b}, partition)
		if len(name) > 255 || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\:*?\"<>|\x00") ||
			strings.ContainsFunc(name, func(r rune) bool {
				return r > unicode.MaxASCII || unicode.IsUpper(r) || unicode.IsControl(r) || r == ' '
			}) {
			t.Errorf("%q is not safe", name)
		}
		stores, p, ok := parseTask(name)
		if !ok || p != partition || stores != nil && !slices.Equal(stores, want) {
			t.Errorf("%q of %q: %q, %d, %v", name, want, stores, p, ok)
		}
		if stores == nil && !strings.Contains(name, "~") {
			t.Errorf("%q lost its stores", name)
		}
	})
}

func FuzzParseTask(f *testing.F) {
	for _, name := range []string{"counts+totals@3", "%43ounts@0", "@1", "%@1", "%4@1", "%zz@1", "a%@1", "x~y@1", "a@-0", "a@+1", "lost+found"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		stores, p, ok := parseTask(name)
		if ok && !strings.Contains(name, "~") && taskName(stores, p) != name {
			t.Errorf("%q is taken for %q, %d, which is %q", name, stores, p, taskName(stores, p))
		}
	})
}
