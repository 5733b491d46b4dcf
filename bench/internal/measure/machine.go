package measure

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine describes the class of machine in one line: model and number of cores, system and architecture.
func Machine() string {
	model, cores := "unknown processor", Cores()
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m, _ := parseCPUInfo(string(b)); m != "" {
			model = m
		}
	}
	return model + ", " + strconv.Itoa(cores) + " cores, " + runtime.GOOS + "/" + runtime.GOARCH
}

// Cores returns the number of cores of the machine, also those this process is not allowed to run on.
func Cores() int {
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, n := parseCPUInfo(string(b)); n > 0 {
			return n
		}
	}
	return runtime.NumCPU()
}

// parseCPUInfo returns the first model name and the number of processors.
func parseCPUInfo(s string) (model string, cores int) {
	for sc := bufio.NewScanner(strings.NewReader(s)); sc.Scan(); {
		key, value, _ := strings.Cut(sc.Text(), ":")
		switch strings.TrimSpace(key) {
		case "processor":
			cores++
		case "model name":
			if model == "" {
				model = strings.TrimSpace(value)
			}
		}
	}
	return model, cores
}

// Allowed returns the cores this process may run on, as the system writes them ("0", "0-3"); "" when it does not say.
func Allowed() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
