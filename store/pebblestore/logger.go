package pebblestore

import (
	"context"
	"fmt"
	"log/slog"
)

// logger is Pebble's logger over slog.
type logger struct{ l *slog.Logger }

// Infof implements pebble.Logger.
func (l logger) Infof(format string, args ...any) { l.log(slog.LevelDebug, format, args) }

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) { l.log(slog.LevelError, format, args) }

// Fatalf implements pebble.Logger. Pebble calls it where it cannot go on, such as when the list of its files could not
// be written, and must not be returned to: its state in memory is no longer that on disk. What is on disk is as after a
// kill, which a directory survives.
func (l logger) Fatalf(format string, args ...any) {
	l.log(slog.LevelError, format, args)
	panic("pebblestore: " + fmt.Sprintf(format, args...) + ": nothing more may be written; when the disk is writable again start the process again, its state is safe")
}

func (l logger) log(level slog.Level, format string, args []any) {
	if ctx := context.Background(); l.l.Enabled(ctx, level) {
		l.l.Log(ctx, level, "pebble: "+fmt.Sprintf(format, args...))
	}
}
