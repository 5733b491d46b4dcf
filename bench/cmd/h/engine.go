package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// storeKey is partition (2 bytes), record key (8) and, for windows, window start in ms (8).
type storeKey [windowKey]byte

const (
	countKey  = 2 + 8
	windowKey = countKey + 8

	windowMS = 60_000
)

// engine counts the records of one topic. What the dirty map holds is in no other place until end says committed.
type engine struct {
	cl        *kgo.Client
	store     *store
	out       string
	changelog string
	windowed  bool
	emitEach  bool // one output per input; else one per dirty key and transaction
	keyLen    int  // bytes of storeKey in use

	dirty   map[storeKey]uint64
	refused kgo.FirstErrPromise
	err     error // the first failed read of the store
}

// transact fills one transaction for the interval, ends it and applies it to the store. It outlives ctx: a stop commits
// what was counted.
func (e *engine) transact(ctx context.Context, interval time.Duration, end func() (bool, error)) error {
	if err := e.processFor(ctx, interval); err != nil {
		return err
	}
	if !e.emitEach {
		e.emitDirty()
	}
	if err := e.cl.Flush(context.Background()); err != nil {
		return err
	}
	if err := e.refused.Err(); err != nil {
		return err
	}
	committed, err := end()
	if err != nil {
		return err
	}
	if committed {
		if err := e.store.apply(e.dirty, e.keyLen); err != nil {
			return err
		}
	}
	clear(e.dirty)
	return nil
}

// processFor polls and counts for one commit interval. While nothing was read it goes on waiting for the first record.
func (e *engine) processFor(ctx context.Context, interval time.Duration) error {
	deadline := time.Now().Add(interval)
	for n := 0; ctx.Err() == nil; {
		wait := deadline
		if n == 0 {
			wait = time.Now().Add(time.Second)
		}
		pctx, cancel := context.WithDeadline(ctx, wait)
		fs := e.cl.PollRecords(pctx, 10_000)
		cancel()
		for _, f := range fs.Errors() {
			if !errors.Is(f.Err, context.DeadlineExceeded) && !errors.Is(f.Err, context.Canceled) {
				return fmt.Errorf("read %s/%d: %w", f.Topic, f.Partition, f.Err)
			}
		}
		n += fs.NumRecords()
		fs.EachRecord(e.process)
		if e.err != nil {
			return e.err
		}
		if n > 0 && !time.Now().Before(deadline) {
			return nil
		}
	}
	return nil
}

func (e *engine) process(r *kgo.Record) {
	var k storeKey
	binary.BigEndian.PutUint16(k[:], uint16(r.Partition))
	copy(k[2:countKey], r.Key)
	if e.windowed {
		ms := r.Timestamp.UnixMilli()
		binary.BigEndian.PutUint64(k[countKey:], uint64(ms-ms%windowMS))
	}
	n, ok := e.dirty[k]
	if !ok {
		if n, ok = e.store.clean[k]; !ok {
			var err error
			if n, err = e.store.get(k[:e.keyLen]); err != nil && e.err == nil {
				e.err = err
			}
		}
	}
	n++
	e.dirty[k] = n
	if e.emitEach {
		e.emit(k, n, r.Headers, r.Timestamp)
	}
}

func (e *engine) emitDirty() {
	now := time.Now()
	for k, n := range e.dirty {
		e.emit(k, n, nil, now)
	}
}

// emit produces a count to the changelog and to the output.
func (e *engine) emit(k storeKey, n uint64, headers []kgo.RecordHeader, ts time.Time) {
	part := int32(binary.BigEndian.Uint16(k[:]))
	key := append([]byte(nil), k[2:e.keyLen]...)
	value := binary.BigEndian.AppendUint64(nil, n)
	recs := &[2]kgo.Record{
		{Topic: e.changelog, Partition: part, Key: key, Value: value, Timestamp: ts},
		{Topic: e.out, Partition: part, Key: key, Value: value, Timestamp: ts, Headers: headers},
	}
	done := e.refused.Promise()
	e.cl.Produce(context.Background(), &recs[0], func(r *kgo.Record, err error) {
		if err == nil {
			e.store.next[r.Partition] = r.Offset + 1 // promises run one at a time, and before Flush returns
		}
		done(r, err)
	})
	e.cl.Produce(context.Background(), &recs[1], e.refused.Promise())
}
