package graph

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// authoring are the packages whose frames Caller passes over.
var authoring = []string{"kstream.", "ktable.", "topology.", "store.", "internal/dsl.", "internal/graph."}

const module = "github.com/millrace-streams/millrace/"

// Caller returns the place in the user's program, as file:line, that called into the authoring packages: the first frame
// outside of them, however deep the caller of Caller is. A verb handed to Then as a function value is called from within
// these packages, so a fixed number of frames would not do.
func Caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !inside(f) {
			return filepath.Base(f.File) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

func inside(f runtime.Frame) bool {
	name, ok := strings.CutPrefix(f.Function, module)
	if !ok || strings.HasSuffix(f.File, "_test.go") {
		return false
	}
	for _, p := range authoring {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
