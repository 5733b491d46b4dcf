package window_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/window"
)

const forever = time.Duration(math.MaxInt64)

// holding returns the starts of the windows that hold a time, found by looking at each there is.
func holding(ms, size, advance int64) (starts []int64) {
	for start := int64(0); start <= ms; start += advance {
		if start <= ms && ms < start+size {
			starts = append(starts, start)
		}
	}
	return starts
}

func TestATimeFallsIntoTheWindowsThatHoldIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		size := 1 + rng.Int64N(60)
		advance, ms := 1+rng.Int64N(size), rng.Int64N(300)
		w := window.Hopping(time.Duration(size)*time.Millisecond, time.Duration(advance)*time.Millisecond)
		first, last, step := w.Starts(ms)
		var got, of []int64
		for start := first; start <= last; start += step {
			got = append(got, start)
		}
		for s := range w.Of(time.UnixMilli(ms)) {
			if !s.Contains(time.UnixMilli(ms)) || s != w.From(s.Start().UnixMilli()) {
				t.Fatalf("%d falls into %v of %+v", ms, s, w)
			}
			of = append(of, s.Start().UnixMilli())
		}
		if want := holding(ms, size, advance); !slices.Equal(got, want) || !slices.Equal(of, want) {
			t.Fatalf("size %d, advance %d: %d falls into %v, %v; want %v", size, advance, ms, got, of, want)
		}
	}
}

func TestTimesAtTheEndsOfTheirRange(t *testing.T) {
	w := window.Hopping(10*time.Millisecond, 3*time.Millisecond)
	if first, last, _ := w.Starts(-1); first <= last {
		t.Errorf("a time before 1970 falls into %d to %d", first, last)
	}
	const latest = int64(math.MaxInt64) / 3 * 3
	n := 0
	for s := range w.Of(time.UnixMilli(math.MaxInt64)) {
		if s.End().UnixMilli() != math.MaxInt64 {
			t.Errorf("a window beyond the last time there is ends at %v", s.End())
		}
		n++
	}
	if first, last, _ := w.Starts(math.MaxInt64); last != latest || first != latest-6 || n != 3 {
		t.Errorf("the last time there is falls into %d to %d, %d windows", first, last, n)
	}
	for range w.Of(time.UnixMilli(100)) {
		break // a walk may be left
	}
}

func TestAnUnlimitedWindowBeginsOnceAndNeverEnds(t *testing.T) {
	for _, c := range []struct {
		from  time.Time
		start int64
	}{{time.Time{}, 0}, {time.UnixMilli(500), 500}} {
		w := window.Unlimited(c.from)
		if err := w.Err(); err != nil {
			t.Error(err)
		}
		if first, last, _ := w.Starts(c.start - 1); first <= last {
			t.Errorf("a record before %v falls into a window", c.from)
		}
		for _, ms := range []int64{c.start, c.start + 1, 1e15} {
			if first, last, _ := w.Starts(ms); first != c.start || last != c.start {
				t.Errorf("%d falls into %d to %d, want %d", ms, first, last, c.start)
			}
		}
		if s := w.From(c.start); s.End().UnixMilli() != math.MaxInt64 || w.Closed(c.start, math.MaxInt64-1) || w.Retention() != forever {
			t.Errorf("the window ends: %v, retention %v", s.End(), w.Retention())
		}
		if size, advance, _ := w.Bounds(); size != forever || advance != 0 {
			t.Errorf("size %v, advance %v", size, advance)
		}
	}
}

// A window is closed when no record that may still come can belong to it: one at stream time less grace, at the earliest.
func TestWindowsCloseWhenTheGraceAfterTheirEndIsOver(t *testing.T) {
	const ms = time.Millisecond
	timed := window.Tumbling(10 * ms).Grace(5 * ms)
	sliding := window.Sliding(10 * ms).Grace(5 * ms)
	session := window.Session(10 * ms).Grace(5 * ms)
	for _, c := range []struct {
		now                     int64
		timed, sliding, session bool
	}{{114, false, false, false}, {115, true, false, false}, {116, true, true, true}} {
		if got := timed.Closed(100, c.now); got != c.timed { // [100, 110)
			t.Errorf("at %d a time window is closed: %v", c.now, got)
		}
		if got := sliding.Closed(100, c.now); got != c.sliding { // [100, 110]
			t.Errorf("at %d a sliding window is closed: %v", c.now, got)
		}
		if got := session.Closed(100, c.now); got != c.session { // grows up to 110
			t.Errorf("at %d a session is closed: %v", c.now, got)
		}
	}
}

// Sets of records that fit into a sliding window, found by trying every window there is.
func TestEachSetOfRecordsWithinTheDifferenceHasASlidingWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		diff := rng.Int64N(20)
		w := window.Sliding(time.Duration(diff) * time.Millisecond)
		var times []int64
		for range 1 + rng.IntN(6) {
			times = append(times, 20+rng.Int64N(60))
		}
		slices.Sort(times)
		within := func(s window.Span) string {
			set := ""
			for _, ms := range times {
				if s.Start().UnixMilli() <= ms && ms <= s.End().UnixMilli() {
					set += time.UnixMilli(ms).UTC().Format("05.000 ")
				}
			}
			return set
		}
		want, got := map[string]bool{}, map[string]bool{}
		for start := int64(0); start < 200; start++ {
			want[within(w.From(start))] = true
		}
		for _, ms := range times {
			got[within(w.Left(ms))], got[within(w.Right(ms))] = true, true
			if first, last := w.Starts(ms); w.Left(ms).Start().UnixMilli() < first || last != ms {
				t.Fatalf("windows of %d start from %d to %d", ms, first, last)
			}
		}
		delete(want, "")
		delete(got, "")
		if len(got) != len(want) {
			t.Fatalf("diff %d, records %v: windows hold %v, want %v", diff, times, got, want)
		}
	}
	if s := window.Sliding(10 * time.Millisecond).Left(3); s.Start().UnixMilli() != 0 || s.End().UnixMilli() != 10 {
		t.Errorf("the window of an early record is %v", s)
	}
}

func TestARecordJoinsTheSessionsThatAreAtMostAGapAway(t *testing.T) {
	w := window.Session(10 * time.Millisecond)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		ms, start := rng.Int64N(100), rng.Int64N(100)
		end := start + rng.Int64N(20)
		away := max(start-ms, ms-end, 0)
		earliest, latest := w.Near(ms)
		if got := end >= earliest && start <= latest; got != (away <= 10) {
			t.Fatalf("a record at %d joins the session %d to %d: %v", ms, start, end, got)
		}
	}
	if _, latest := w.Near(math.MaxInt64 - 1); latest != math.MaxInt64 {
		t.Errorf("a record at the last time joins sessions up to %d", latest)
	}
}

func TestStoresKeepAWindowUntilItIsClosed(t *testing.T) {
	for want, got := range map[time.Duration]time.Duration{
		15 * time.Second: window.Hopping(10*time.Second, time.Second).Grace(5 * time.Second).Retention(),
		25 * time.Second: window.Sliding(10 * time.Second).Grace(5 * time.Second).Retention(),
		16 * time.Second: window.Session(10 * time.Second).Grace(6 * time.Second).Retention(),
		forever:          window.Tumbling(forever - time.Second).Grace(time.Minute).Retention(),
	} {
		if got != want {
			t.Errorf("retention is %v, want %v", got, want)
		}
	}
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	for want, err := range map[string]error{
		"1.0005s is not a whole number of milliseconds": window.Tumbling(1000500 * time.Microsecond).Err(),
		"Grace(-1s) is negative":                        window.Tumbling(time.Second).Grace(-time.Second).Err(),
		"windows of size 0s":                            window.Tumbling(0).Err(),
		"windows of size 1s advance by 2s":              window.Hopping(time.Second, 2*time.Second).Err(),
		"windows of size 1s advance by 0s":              window.Hopping(time.Second, 0).Err(),
		"starts before 1970, at -1 ms":                  window.Unlimited(time.UnixMilli(-1)).Err(),
		"sliding windows of -1s":                        window.Sliding(-time.Second).Err(),
		"Grace(-2s) is negative":                        window.Sliding(time.Second).Grace(-2 * time.Second).Err(),
		"sessions with a gap of 0s":                     window.Session(0).Err(),
		"1.5ms is not a whole number of milliseconds":   window.Session(1500 * time.Microsecond).Err(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "window: ") {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	for _, w := range []window.Windows{window.Tumbling(time.Millisecond), window.Sliding(0), window.Hopping(time.Minute, time.Second).Grace(time.Hour)} {
		if err := w.Err(); err != nil {
			t.Errorf("%+v: %v", w, err)
		}
	}
}
