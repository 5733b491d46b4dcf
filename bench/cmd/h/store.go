package main

import (
	"encoding/binary"
	"errors"
	"log"
	"os"

	"github.com/cockroachdb/pebble/v2"
)

// maxPartitions bounds the table of changelog offsets, which is an array so that a promise can write it without a look-up.
const maxPartitions = 64

// store is one Pebble database for all partitions. It has no write-ahead log: what is not flushed at a crash comes back
// from the changelog, since a batch holds the changelog offsets its rows go to.
type store struct {
	db    *pebble.DB
	clean map[storeKey]uint64 // committed values kept for reading; len <= limit
	limit int
	next  [maxPartitions]int64 // next changelog offset per partition
}

func openStore(dir string, readCache int) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	cache := pebble.NewCache(128 << 20)
	defer cache.Unref()
	db, err := pebble.Open(dir, &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest,
		DisableWAL:         true,
		Cache:              cache,
		MemTableSize:       32 << 20,
		Logger:             errorsOnly{},
	})
	if err != nil {
		return nil, err
	}
	return &store{db: db, clean: map[storeKey]uint64{}, limit: readCache}, nil
}

// close flushes and closes, so that the next start has nothing to replay.
func (s *store) close() error { return errors.Join(s.db.Flush(), s.db.Close()) }

// get returns a stored number, 0 if there is none.
func (s *store) get(k []byte) (uint64, error) {
	v, closer, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint64(v)
	return n, closer.Close()
}

// apply writes what a transaction changed, and how far the changelog goes with it, in one batch.
func (s *store) apply(dirty map[storeKey]uint64, keyLen int) error {
	if len(dirty) == 0 {
		return nil
	}
	b := s.db.NewBatch()
	var v [8]byte
	for k, n := range dirty {
		binary.BigEndian.PutUint64(v[:], n)
		if err := b.Set(k[:keyLen], v[:], nil); err != nil {
			return err
		}
		if s.limit > 0 {
			s.clean[k] = n
		}
	}
	for k := range s.clean { // evict at random
		if len(s.clean) <= s.limit {
			break
		}
		delete(s.clean, k)
	}
	for p := range s.next {
		if s.next[p] > 0 {
			if err := s.setOffset(b, p); err != nil {
				return err
			}
		}
	}
	return b.Commit(pebble.NoSync)
}

// offsetKey sorts after all rows, whose first two bytes are a partition below maxPartitions.
func offsetKey(p int) []byte { return []byte{0xff, 0xff, byte(p)} }

func (s *store) setOffset(b *pebble.Batch, p int) error {
	return b.Set(offsetKey(p), binary.BigEndian.AppendUint64(nil, uint64(s.next[p])), nil)
}

func (s *store) offset(p int) (int64, error) {
	n, err := s.get(offsetKey(p))
	return int64(n), err
}

// errorsOnly is a Pebble logger that keeps standard error for what went wrong.
type errorsOnly struct{}

func (errorsOnly) Infof(string, ...any)           {}
func (errorsOnly) Errorf(format string, a ...any) { log.Printf(format, a...) }
func (errorsOnly) Fatalf(format string, a ...any) { log.Fatalf(format, a...) }
