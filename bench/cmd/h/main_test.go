package main

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const records = 10_000

func cached(entries int) func(context.Context, contract.Options) error {
	return func(ctx context.Context, o contract.Options) error { return run(ctx, o, entries) }
}

func TestCountsAreRightOverAStopAndALostDirectory(t *testing.T) {
	for _, c := range []struct {
		workload  string
		guarantee contract.Guarantee
		cacheMB   int
		readCache int
	}{
		{"count-1k", contract.ExactlyOnce, 0, 0},
		{"count-1k", contract.ExactlyOnce, 10, 100},
		{"count-1k", contract.AtLeastOnce, 0, 0},
		{"window", contract.ExactlyOnce, 0, 0},
	} {
		b := enginetest.Start(t, c.workload, records)
		b.Options.Guarantee, b.Options.CacheMB = c.guarantee, c.cacheMB
		b.Work(t, cached(c.readCache), records/3)
		b.Work(t, cached(c.readCache), records/3*2) // goes on with the state on disk
		b.Options.StateDir = t.TempDir()
		b.Work(t, cached(c.readCache), records) // reads the changelog
		b.Verify(t)
	}
}

func TestADirectoryBehindTheChangelogCatchesUp(t *testing.T) {
	b := enginetest.Start(t, "count-1k", records)
	b.Work(t, cached(0), records/3)
	old := t.TempDir()
	if err := os.CopyFS(filepath.Join(old, "db"), os.DirFS(b.Options.StateDir)); err != nil {
		t.Fatal(err)
	}
	b.Work(t, cached(0), records/3*2)
	b.Options.StateDir = filepath.Join(old, "db")
	b.Work(t, cached(0), records)
	b.Verify(t)
}

func TestABatchHoldsItsChangelogOffsets(t *testing.T) {
	s, err := openStore(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	s.next[3] = 42
	row, other := storeKey{0, 3, 1}, storeKey{0, 3, 2}
	if err := s.apply(map[storeKey]uint64{row: 7, other: 8}, countKey); err != nil {
		t.Fatal(err)
	}
	if n, err := s.get(row[:countKey]); n != 7 || err != nil {
		t.Errorf("row: %d, %v", n, err)
	}
	if at, err := s.offset(3); at != 42 || err != nil {
		t.Errorf("offset: %d, %v", at, err)
	}
	if at, err := s.offset(2); at != 0 || err != nil {
		t.Errorf("offset of a partition never written: %d, %v", at, err)
	}
	if len(s.clean) != 1 {
		t.Errorf("%d entries are kept for reading, the limit is 1", len(s.clean))
	}
}

func TestOffsetsAreNoRows(t *testing.T) {
	var last storeKey
	binary.BigEndian.PutUint16(last[:], maxPartitions-1)
	if k := offsetKey(0); string(k) <= string(last[:]) {
		t.Errorf("offset key %x is not behind the rows", k)
	}
}

func TestRefusesWhatItCannotDo(t *testing.T) {
	enginetest.Refuses(t, cached(0), contract.Options{Guarantee: contract.AtMostOnce, Workers: 1}, "--guarantee eos or alos")
	enginetest.Refuses(t, cached(0), contract.Options{Guarantee: contract.ExactlyOnce, Workers: 2}, "--workers 1")
}
