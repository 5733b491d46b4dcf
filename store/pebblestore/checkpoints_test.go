package pebblestore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/millrace-streams/millrace/store"
)

func TestCheckpointsAreReadWithoutOpening(t *testing.T) {
	e := NewEngine(16<<20, nil)
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir := filepath.Join(t.TempDir(), "db")
	if _, err := e.Checkpoints(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("of a directory that is not there: %v", err)
	}
	if _, err := e.Checkpoints(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("of an empty directory: %v", err)
	}
	db, err := e.Open(dir, []string{"s"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := store.Checkpoint{Changelog: "log", TopicID: [16]byte{1}, Offset: 42, Stamp: 7}
	if err := db.Set(append(db.Prefix("s"), 'k'), []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(want); err != nil {
		t.Fatal(err)
	}
	_, err = e.Checkpoints(dir)
	if _, ok := errors.AsType[*store.LockedError](err); !ok {
		t.Fatalf("of a directory in use: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := e.Checkpoints(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Changelog != "log" || got[0].Offset != 42 || got[0].TopicID != want.TopicID {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	// It was closed in order, and looking has not changed that.
	if db, err = e.Open(dir, []string{"s"}, Options{}); err != nil {
		t.Fatal(err)
	}
	if !db.Clean() {
		t.Error("looking at a database made it one that was not closed in order")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
