package measure

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ is 100 on every platform Go runs Linux on.
const tick = 10 * time.Millisecond

// CPU returns the user and system time a process has used, in steps of 10 ms. Children do not count.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// PeakMemory returns the highest resident size of a process so far, in bytes.
func PeakMemory(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parsePeak(b)
}

// parseStat adds fields 14 and 15, utime and stime. The second field is the program's name in parentheses, which may hold
// anything, parentheses and blanks too.
func parseStat(b []byte) (time.Duration, error) {
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("measure: /proc stat has %d fields after the name, want at least 13: %q", len(fields), b)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("measure: /proc stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

func parsePeak(b []byte) (int64, error) {
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			var kb int64
			if _, err := fmt.Sscanf(string(rest), "%d kB", &kb); err != nil {
				return 0, fmt.Errorf("measure: /proc status: %q: %w", line, err)
			}
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("measure: /proc status has no VmHWM: the process has ended, or this is not Linux")
}
