package measure

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestSpreadIsMedianMinimumAndMaximum(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, "-"},
		{[]float64{1516.4}, "1,516"},
		{[]float64{1520, 1502, 1516}, "1,516 (1,502-1,520)"},
		{[]float64{4, 1, 2, 3}, "2 (1-4)"},
		{[]float64{1_234_567, -1_000, 999}, "999 (-1,000-1,234,567)"},
	} {
		if got := Of(c.values).Format(0); got != c.want {
			t.Errorf("%v: got %s, want %s", c.values, got, c.want)
		}
	}
	if got := Of([]float64{0.915, 1234.5}).Format(2); got != "617.71 (0.92-1,234.50)" {
		t.Errorf("got %s", got)
	}
}

func TestOfLeavesItsArgumentAlone(t *testing.T) {
	v := []float64{3, 1, 2}
	Of(v)
	if v[0] != 3 || v[1] != 1 || v[2] != 2 {
		t.Errorf("sorted in place: %v", v)
	}
}

func samples(committed ...int64) []Sample {
	var s []Sample
	for i, n := range committed {
		s = append(s, Sample{
			At: time.UnixMilli(int64(i) * 50), Committed: n, CPU: time.Duration(i) * 40 * time.Millisecond,
		})
	}
	return s
}

func TestFigureLeavesOutStartAndIdleEnd(t *testing.T) {
	f, err := FigureOf(samples(0, 0, 100, 300, 300, 900, 900, 900))
	want := Figure{Records: 800, CPU: 120 * time.Millisecond, Wall: 150 * time.Millisecond}
	if err != nil || f != want {
		t.Errorf("got %+v, %v, want %+v", f, err, want)
	}
	if got := f.PerCPUSecond(); got < 6666 || got > 6667 {
		t.Errorf("%v records per CPU-second", got)
	}
	if got := f.PerSecond(); got < 5333 || got > 5334 {
		t.Errorf("%v records per second", got)
	}
}

func TestFigureOfARestartedEngineBeginsWithItsOwnProgress(t *testing.T) {
	f, err := FigureOf(samples(500, 500, 600, 700))
	if err != nil || f.Records != 100 {
		t.Errorf("got %+v, %v, want 100 records", f, err)
	}
}

func TestRunsTooShortToMeasureAreErrors(t *testing.T) {
	for _, s := range [][]Sample{nil, samples(0), samples(0, 0, 0), samples(0, 900, 900)} {
		if f, err := FigureOf(s); !errors.Is(err, ErrTooShort) {
			t.Errorf("%v: got %+v, %v", s, f, err)
		}
	}
	still := samples(0, 100, 200)
	still[2].CPU = still[1].CPU
	if f, err := FigureOf(still); !errors.Is(err, ErrTooShort) {
		t.Errorf("no CPU used: got %+v, %v", f, err)
	}
}

func TestStatIsReadBehindAnyProgramName(t *testing.T) {
	const tail = " S 1 2 3 4 5 6 7 8 9 10 250 17 99 98 20 0 5 0 1 2 3"
	for _, name := range []string{"(engine)", "(a b) R 1 (c)", "())"} {
		if got, err := parseStat([]byte("42 " + name + tail)); err != nil || got != 2670*time.Millisecond {
			t.Errorf("%s: got %v, %v, want 2.67s", name, got, err)
		}
	}
	for _, bad := range []string{"", "42 (engine) S 1 2", "42 (engine) S 1 2 3 4 5 6 7 8 9 10 x 17"} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestPeakMemoryIsInBytes(t *testing.T) {
	if got, err := parsePeak([]byte("Name:\tx\nVmHWM:\t   93184 kB\nVmRSS:\t 1 kB\n")); err != nil || got != 93184<<10 {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := parsePeak([]byte("Name:\tx\n")); err == nil {
		t.Errorf("a process without memory gives %d", got)
	}
}

func TestThisProcessCanBeMeasured(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Logf("no /proc here: %v", err)
		return
	}
	if n, err := PeakMemory(os.Getpid()); err != nil || n < 1<<20 {
		t.Errorf("peak memory %d, %v", n, err)
	}
	if _, err := CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	if Allowed() == "" {
		t.Error("allowed cores are not known")
	}
}

func TestCPUInfoGivesModelAndAllCores(t *testing.T) {
	model, cores := parseCPUInfo("processor\t: 0\nmodel name\t: Fast CPU @ 3: GHz\n\nprocessor\t: 1\nmodel name\t: Fast CPU\n")
	if model != "Fast CPU @ 3: GHz" || cores != 2 {
		t.Errorf("got %q, %d", model, cores)
	}
}
