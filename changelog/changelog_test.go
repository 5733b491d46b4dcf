package changelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/store"
)

// TestResume reads as a table: one decision a line.
func TestResume(t *testing.T) {
	datadriven.RunTest(t, "testdata/resume", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		log := Log{TopicID: [16]byte{1}, DeleteRetention: 24 * time.Hour}
		for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
			at, found := store.Checkpoint{TopicID: [16]byte{1}}, true
			var awayHours, id int64
			if strings.HasPrefix(line, "none") {
				found = false
				scan(t, line, "none log=%d..%d", &log.Start, &log.End)
			} else {
				scan(t, line, "at=%d id=%d away=%dh log=%d..%d", &at.Offset, &id, &awayHours, &log.Start, &log.End)
				at.TopicID[0] = byte(id)
			}
			now := int64(1_000_000_000_000)
			at.Stamp = now - awayHours*3_600_000
			p := Resume(at, found, log, now)
			if p.Wipe {
				fmt.Fprintf(&out, "wipe, read from %d: %s\n", p.From, p.Why)
			} else {
				fmt.Fprintf(&out, "read from %d\n", p.From)
			}
		}
		return out.String()
	})
}

func scan(t *testing.T, line, format string, a ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(line, format, a...); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
}

// loads records what an Applier was given.
type loads struct {
	got []string
	err error
}

func (l *loads) Load(rows []store.KV, at store.Checkpoint) error {
	for _, r := range rows {
		if r.Value == nil {
			l.got = append(l.got, fmt.Sprintf("%s deleted", r.Key))
			continue
		}
		l.got = append(l.got, fmt.Sprintf("%s=%s time=%d", r.Key, r.Value[8:], binary.BigEndian.Uint64(r.Value)))
	}
	l.got = append(l.got, fmt.Sprintf("at %d", at.Offset))
	return l.err
}

// TestRestoreEndsByPosition: the last offsets of a log are markers, which no record ever shows; a restore that waits for a record
// at end-1 would never end.
func TestRestoreEndsByPosition(t *testing.T) {
	to := &loads{}
	r := NewRestore(&decl.Store{Name: "s"}, store.Checkpoint{Offset: 10}, 20, []byte("s:"), to)
	if r.Done() {
		t.Fatal("done before anything was read")
	}
	if err := r.Feed([]Entry{{Key: []byte("a"), Value: []byte("1"), Time: 7}, {Key: []byte("b"), Time: 8}, {Key: []byte("c"), Value: []byte{}}}, 19); err != nil {
		t.Fatal(err)
	}
	if r.Done() {
		t.Fatal("done at 19 of 20")
	}
	if err := r.Feed(nil, 20); err != nil {
		t.Fatal(err)
	}
	if !r.Done() || r.Count() != 3 || r.Position() != 20 {
		t.Fatalf("done %v, count %d, position %d", r.Done(), r.Count(), r.Position())
	}
	want := "s:a=1 time=7, s:b deleted, s:c= time=0, at 19, at 20"
	if got := strings.Join(to.got, ", "); got != want {
		t.Fatalf("applied %s\nwant    %s", got, want)
	}
}

// TestRestoreFromTheEndIsDone: a store closed in order reads nothing.
func TestRestoreFromTheEndIsDone(t *testing.T) {
	if r := NewRestore(&decl.Store{Name: "s"}, store.Checkpoint{Offset: 20}, 20, nil, &loads{}); !r.Done() {
		t.Fatal("not done at the end")
	}
}

func TestRestoreReportsTheStoresError(t *testing.T) {
	broken := errors.New("disk full")
	r := NewRestore(&decl.Store{Name: "s"}, store.Checkpoint{}, 1, nil, &loads{err: broken})
	if err := r.Feed([]Entry{{Key: []byte("a")}}, 1); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}
