package testkafka

import (
	"os"
	"path/filepath"
	"time"
)

const tempPrefix = "millrace-kafka-"

// sweep removes the folders of brokers whose test process died without closing them: those whose lock is free.
func sweep(temp string) {
	dirs, _ := filepath.Glob(filepath.Join(temp, tempPrefix+"*")) // the pattern is well-formed
	for _, dir := range dirs {
		info, err := os.Stat(filepath.Join(dir, "lock"))
		if err != nil {
			continue // a log that was kept, or a folder that is just being made
		}
		if time.Since(info.ModTime()) < time.Minute {
			continue // made, and not locked yet
		}
		lock, err := lockFile(filepath.Join(dir, "lock"), false)
		if err != nil {
			continue // in use
		}
		_ = os.RemoveAll(dir) // the next one tries again
		lock.Close()
	}
}
