package rows_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store/memstore"
)

// clocked is an env with a clock of its own for each name.
type clocked struct {
	*env
	clocks map[string]*graph.Clock
}

func newClocked() clocked {
	return clocked{newEnv(memstore.Open("rows")), map[string]*graph.Clock{}}
}

func (c clocked) Clock(name string) *graph.Clock {
	if c.clocks[name] == nil {
		c.clocks[name] = graph.NewClock(-1)
	}
	return c.clocks[name]
}

func joinDecl() *decl.Store {
	return &decl.Store{Name: "rows", Kind: decl.Window, Duplicates: true, Key: serde.String, Value: serde.String, Size: time.Second, Retention: 10 * time.Minute}
}

func found(s *rows.Duplicates[string, string], key string, from, to int64) string {
	var all []string
	s.Fetch(key, from, to, func(start int64, v string) bool {
		all = append(all, fmt.Sprint(v, "@", start))
		return true
	})
	return strings.Join(all, " ")
}

func TestDuplicatesOfKeysThatBeginWithOneAnotherAreKeptApart(t *testing.T) {
	e := newClocked()
	s := rows.OpenDuplicates[string, string](e, &graph.Node{}, joinDecl())
	for i, key := range []string{"a", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x05", "aa", "", "a"} {
		s.Put(key, fmt.Sprint(i), true, int64(i), 0, nil)
	}
	if got := found(s, "a", 0, 100); got != "0@0 5@5" {
		t.Errorf("found %s", got)
	}
	if got := found(s, "", 0, 100); got != "4@4" {
		t.Errorf("found %s", got)
	}
}

func TestDuplicatesAreFoundOverTheBoundsOfSegments(t *testing.T) {
	e := newClocked()
	s := rows.OpenDuplicates[string, string](e, &graph.Node{}, joinDecl())
	for minute := range int64(12) {
		s.Put("k", "v", true, minute*60_000, 0, nil)
	}
	if got := found(s, "k", 4*60_000, 11*60_000-1); got != "v@240000 v@300000 v@360000 v@420000 v@480000 v@540000 v@600000" {
		t.Errorf("found %s", got)
	}
	if got := found(s, "k", 0, 1<<60); strings.Count(got, " ") != 9 || !strings.HasPrefix(got, "v@120000") {
		t.Errorf("found %s, want the last ten minutes", got)
	}
}

// State taken over from Kafka Streams comes without clocks: what rows say must not be forgotten, nor overwritten.
func TestRowsThatNoClockKnowsOfAreCountedAndTimed(t *testing.T) {
	before := newClocked()
	s := rows.OpenDuplicates[string, string](before, &graph.Node{}, joinDecl())
	for range 3 {
		s.Put("k", "old", true, 700_000, 0, nil)
	}
	after := clocked{before.env, map[string]*graph.Clock{}}
	s = rows.OpenDuplicates[string, string](after, &graph.Node{}, joinDecl())
	s.Put("k", "new", true, 700_000, 0, nil)
	if got := found(s, "k", 0, 1<<60); got != "old@700000 old@700000 old@700000 new@700000" {
		t.Errorf("found %s", got)
	}
	if got := s.Time(); got != 700_000 {
		t.Errorf("time %d", got)
	}
}

func TestWhatIsTooOldIsLoggedAndDropped(t *testing.T) {
	e := newClocked()
	s := rows.OpenDuplicates[string, string](e, &graph.Node{}, joinDecl())
	s.Put("k", "new", true, 20*60_000, 7, nil)
	s.Put("k", "old", true, 60_000, 8, nil)
	s.Put("k", "", false, 60_000, 9, nil)
	if e.dropped != 1 || len(e.logged) != 2 || !strings.HasSuffix(e.logged[0], "\x00\x00\x00\x02=old@8") || !strings.HasSuffix(e.logged[1], "\x00\x00\x00\x03=@9") {
		t.Errorf("dropped %d, logged %q", e.dropped, e.logged)
	}
}

func TestSegmentsOfDuplicatesThatExpiredAreGivenUp(t *testing.T) {
	e := newClocked()
	s := rows.OpenDuplicates[string, string](e, &graph.Node{}, joinDecl())
	var most int64
	for minute := range int64(200) {
		s.Put("k", "v", true, minute*60_000, 0, nil)
		check(t, e.db.Commit())
		most = max(most, e.db.Size())
	}
	one := int64(len("k") + 2 + 8 + 8 + 4 + 8 + 1 + 1) // prefix, segment, start, number; time, headers, value
	if most > 20*one {
		t.Errorf("%d rows were kept, want those of ten minutes and of their segment", most/one)
	}
}

func damage(t *testing.T, f func()) (err error) {
	t.Helper()
	defer func() {
		p, _ := recover().(record.Failure)
		err = p.Err
	}()
	f()
	return errors.New("it did not fail")
}

func TestDamagedRowsOfJoinsAreNamed(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"0000000000000000" + "6b" + "0000000000000001" + "00000001", "0000", "begins with a time of 8"},
		{"0000000000000000" + "6b" + "0000000000000001" + "00000001", "000000000000000001ff", "headers of a row end early"},
	} {
		e := newClocked()
		s := rows.OpenDuplicates[string, string](e, &graph.Node{}, joinDecl())
		s.Put("k", "v", true, 5, 0, nil)
		key, _ := hex.DecodeString(c.key)
		value, _ := hex.DecodeString(c.value)
		check(t, e.db.Set(append(e.db.Prefix("rows"), key...), value))
		if err := damage(t, func() { found(s, "k", 0, 10) }); !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"rows"`) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	unmatched := &decl.Store{Name: "rows", Key: serde.String, Value: serde.String}
	for _, c := range []struct{ key, value, want string }{
		{"0000000000000000", "0000000000000000" + "0100000000", "its key has"},
		{"0000000000000000016b", "0000000000000000" + "0000000000", "no time and list of values"},
		{"0000000000000000016b", "0000000000000000" + "0100000001" + "00000003" + "01", "its list of values ends early"},
		{"0000000000000000016b", "0000000000000000" + "01ffffffff", "its list of values ends early"},
		{"0000000000000000016b", "0000000000000000" + "0100000001" + "00000000", "its list of values ends early"},
	} {
		e := newClocked()
		s := rows.OpenUnmatched[string, string, string](e, &graph.Node{}, unmatched, serde.String)
		key, _ := hex.DecodeString(c.key)
		value, _ := hex.DecodeString(c.value)
		check(t, e.db.Set(append(e.db.Prefix("rows"), key...), value))
		err := damage(t, func() {
			s.Walk(0, func(w rows.Waiting[string, string, string]) bool {
				w.Each(func(string, string) {}, func(string, string) {})
				return true
			})
		})
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %s: %v, want %q", c.key, c.value, err, c.want)
		}
	}
}

// The bytes are those of Kafka Streams: time, side and key; a list of sides and values.
func TestRecordsThatWaitAreWrittenAsKafkaStreamsDoes(t *testing.T) {
	e := newClocked()
	s := rows.OpenUnmatched[string, string, string](e, &graph.Node{}, &decl.Store{Name: "rows", Key: serde.String, Value: serde.String}, serde.String)
	s.AddLeft(258, "k", "lv")
	s.AddLeft(258, "k", "l2")
	s.AddRight(258, "k", "rv")
	var got []string
	it := e.db.Range(nil, nil, false)
	for it.Next() {
		got = append(got, fmt.Sprintf("%x=%x", it.Key()[2:], it.Value()[8:]))
	}
	check(t, it.Close())
	if want := "0000000000000102006b=010000000100000003007276 0000000000000102016b=010000000200000003016c7600000003016c32"; strings.Join(got, " ") != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	s.Match(258, true, "k")
	s.Match(257, false, "k")
	if at, ok := s.Earliest(); !ok || at != 258 {
		t.Errorf("earliest %d, %v", at, ok)
	}
	s.Match(258, false, "k")
	if at, ok := s.Latest(); ok {
		t.Errorf("latest %d of an empty buffer", at)
	}
}
