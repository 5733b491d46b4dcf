package window_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/window"
)

// Within(d) is Before(d) and After(d).
func ExampleWithin() {
	before, after, grace := window.Within(time.Minute).Bounds()
	fmt.Println(before, after, grace)
	fmt.Println(window.Within(time.Minute) == window.Within(0).Before(time.Minute).After(time.Minute))
	// Output:
	// 1m0s 1m0s 0s
	// true
}

func TestJoinWindowsSayWhatIsWrongWithThem(t *testing.T) {
	for _, c := range []struct {
		w    window.JoinWindows
		want string
	}{
		{window.Within(time.Second), ""},
		{window.Within(0), ""},
		{window.Within(0).Before(-5 * time.Second).After(5 * time.Second).Grace(time.Hour).EmitEvery(0), ""},
		{window.Within(0).Before(5 * time.Second).After(-6 * time.Second), "window: the join window ends before it starts: 5s before and -6s after make -1s, want 0 or more"},
		{window.Within(time.Second).Grace(-1 * time.Millisecond), "window: Grace(-1ms) is negative: want 0 or more"},
		{window.Within(time.Second).EmitEvery(-1 * time.Millisecond), "window: EmitEvery(-1ms) is negative: want 0 or more"},
		{window.Within(time.Second).After(time.Microsecond), "window: 1µs is not a whole number of milliseconds: round it"},
	} {
		err := c.w.Err()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want %q", c.w, err, c.want)
		}
	}
}

func TestJoinWindowsLookForRecordsWithoutAMatchEachSecondUnlessToldOtherwise(t *testing.T) {
	w := window.Within(time.Second)
	if d := w.Interval(); d != time.Second {
		t.Errorf("interval %v, want 1s", d)
	}
	if d := w.EmitEvery(0).Interval(); d != 0 {
		t.Errorf("interval %v, want 0", d)
	}
	if d := w.EmitEvery(time.Minute).Grace(time.Second).Interval(); d != time.Minute {
		t.Errorf("interval %v, want 1m", d)
	}
}
