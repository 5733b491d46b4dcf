package measure

import (
	"errors"
	"time"
)

// A Sample is what was seen of a running engine at one moment.
type Sample struct {
	At        time.Time
	Committed int64         // input records whose offsets are committed
	CPU       time.Duration // user and system time of the process so far
}

// A Figure is the speed of an engine over one run.
type Figure struct {
	Records int64         // committed between the first and the last sample that shows progress
	CPU     time.Duration // used between these two
	Wall    time.Duration // passed between these two
}

// ErrTooShort says that a run was over before it could be measured.
var ErrTooShort = errors.New("measure: fewer than two samples show progress: use more records")

// FigureOf measures between the first and the last sample that shows progress, so that start and stop do not count. The
// samples are in order of time.
func FigureOf(samples []Sample) (Figure, error) {
	first, last := -1, -1
	for i := range samples {
		if i > 0 && samples[i].Committed > samples[i-1].Committed {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return Figure{}, ErrTooShort
	}
	a, b := samples[first], samples[last]
	f := Figure{Records: b.Committed - a.Committed, CPU: b.CPU - a.CPU, Wall: b.At.Sub(a.At)}
	if f.CPU <= 0 || f.Wall <= 0 {
		return Figure{}, ErrTooShort
	}
	return f, nil
}

// PerCPUSecond returns records per second of CPU.
func (f Figure) PerCPUSecond() float64 { return float64(f.Records) / f.CPU.Seconds() }

// PerSecond returns records per second of wall time.
func (f Figure) PerSecond() float64 { return float64(f.Records) / f.Wall.Seconds() }
