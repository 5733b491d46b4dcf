package integration

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
)

// The example counts the words of the same text in every way it can be run, and each dump must equal a count made here, by other
// means, byte for byte.

func TestWordCountOnTheEmbeddedBroker(t *testing.T) {
	for _, instances := range []string{"1", "3"} {
		t.Run(instances, func(t *testing.T) {
			w := newWordCount(t, "-instances", instances, "-state-dir", filepath.Join(t.TempDir(), "state"))
			w.run()
			w.check()
		})
	}
}

func TestWordCountKilledInTheMiddleOnTheEmbeddedBroker(t *testing.T) {
	for _, instances := range []string{"1", "3"} {
		t.Run(instances, func(t *testing.T) {
			w := newWordCount(t, "-instances", instances, "-state-dir", filepath.Join(t.TempDir(), "state"))
			w.killWhenCounting()
			w.run()
			w.check()
		})
	}
}

// exampleCounts kills the example in the middle on a cluster that outlives it.
func exampleCounts(t *testing.T, c *kafkatest.Cluster) {
	for _, instances := range []string{"1", "3"} {
		t.Run(instances, func(t *testing.T) {
			forgetWordCount(t, c.In(t))
			w := newWordCount(t, "-instances", instances, "-state-dir", filepath.Join(t.TempDir(), "state"), "-brokers", strings.Join(c.Brokers(), ","))
			w.killWhenCounting()
			w.run()
			w.check()
		})
	}
}

// forgetWordCount deletes what an earlier run of the example left on a shared broker.
func forgetWordCount(t *testing.T, c *kafkatest.Cluster) {
	t.Helper()
	adm := c.Admin()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, _ = adm.DeleteGroup(ctx, "wordcount") // there may be none
	for {
		topics, err := adm.ListTopics(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var old []string
		for _, name := range topics.Names() {
			if name == "lines" || name == "word-counts" || strings.HasPrefix(name, "wordcount-") {
				old = append(old, name)
			}
		}
		if len(old) == 0 {
			return
		}
		_, _ = adm.DeleteTopics(ctx, old...) // asked again until they are gone
	}
}

// wordCountBinary is built once for all tests.
var wordCountBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wordcount-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "wordcount")
	out, err := exec.Command("go", "build", "-o", path, "../examples/wordcount").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

type wordCount struct {
	t          *testing.T
	text, dump string
	args       []string
}

func newWordCount(t *testing.T, args ...string) *wordCount {
	t.Helper()
	w := &wordCount{t: t, text: writeText(t), dump: filepath.Join(t.TempDir(), "counts.tsv")}
	w.args = append([]string{"-input", w.text, "-dump", w.dump}, args...)
	return w
}

// writeText makes a text of some 400,000 words in several files: letters of many scripts, digits, broken encoding, empty and very
// long lines.
func writeText(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 4 {
		var b bytes.Buffer
		for j := range 20_000 {
			fmt.Fprintf(&b, "line %d of file%d: Straße ΑΒΓ δοκιμή, Привет; 世界 x%d don't\tÉCOLE_%d %d\n", j, i, j%97, j%13, j*i)
			switch j % 1000 {
			case 7:
				b.WriteString("\n\r\n   \n")
			case 8:
				b.Write([]byte{'a', 0xff, 'b', 0xe4, 0xb8, '\n'})
			}
		}
		b.WriteString(strings.Repeat("endless words without a line feed 123 ", 20_000))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part%d.txt", i)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (w *wordCount) command() *exec.Cmd {
	w.t.Helper()
	binary, err := wordCountBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(binary, w.args...)
	child.DieWithParent(cmd)
	return cmd
}

// run runs the example to its end.
func (w *wordCount) run() {
	w.t.Helper()
	cmd := w.command()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	late := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		w.t.Fatalf("wordcount: %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "commits in") || !strings.Contains(out.String(), "distinct") {
		w.t.Errorf("no summary:\n%s", out.String())
	}
}

// killWhenCounting starts the example and kills it with -9 once state has been committed: some of the text is counted, some is not.
func (w *wordCount) killWhenCounting() {
	w.t.Helper()
	cmd := w.command()
	cmd.Args = append(cmd.Args, "-v")
	log := &child.Tail{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	running := time.Time{}
	for {
		select {
		case <-ended:
			w.t.Fatalf("wordcount ended before it was killed\n%s", log.String())
		case <-deadline:
			_ = cmd.Process.Kill()
			w.t.Fatalf("wordcount does not run after %v\n%s", patience, log.String())
		case <-tick.C:
		}
		if running.IsZero() && strings.Contains(log.String(), "to=running") {
			running = time.Now()
		}
		if !running.IsZero() && time.Since(running) > 500*time.Millisecond { // some commits later
			_ = cmd.Process.Kill()
			<-ended
			return
		}
	}
}

// check compares the dump with a count of the text by a regular expression.
func (w *wordCount) check() {
	w.t.Helper()
	counts := map[string]int{}
	word := regexp.MustCompile(`[\p{L}\p{Nd}]+`)
	err := filepath.WalkDir(w.text, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range word.FindAll(data, -1) {
			runes := []rune(string(m))
			for i, r := range runes {
				runes[i] = unicode.ToLower(r)
			}
			counts[string(runes)]++
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for k, n := range counts {
		lines = append(lines, fmt.Sprintf("%s\t%d", k, n))
	}
	slices.SortFunc(lines, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "\t")
		kb, _, _ := strings.Cut(b, "\t")
		return strings.Compare(ka, kb)
	})
	got, err := os.ReadFile(w.dump)
	if err != nil {
		w.t.Fatal(err)
	}
	if want := strings.Join(lines, "\n") + "\n"; string(got) != want {
		g, l := strings.Split(string(got), "\n"), strings.Split(want, "\n")
		for i := range min(len(g), len(l)) {
			if g[i] != l[i] {
				w.t.Fatalf("%d lines, want %d; line %d is %q, want %q", len(g), len(l), i+1, g[i], l[i])
			}
		}
		w.t.Fatalf("%d lines, want %d", len(g), len(l))
	}
}
