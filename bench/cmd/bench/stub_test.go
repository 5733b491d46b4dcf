package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/workload"
)

// stubEnv makes this test binary an engine. Its value says how the engine behaves: "right", "wrong", "dies", "stuck", or
// "waits at N,M": right, but after N records, in this and earlier processes together, it goes on only when started again.
const stubEnv = "BENCH_TEST_STUB"

func TestMain(m *testing.M) {
	if os.Getenv(stubEnv) != "" {
		contract.Main("stub", []string{"copy", "count-1k"}, nil, stub)
		return
	}
	goleak.VerifyTestMain(m)
}

// stub is a slow but right engine without transactions: since each input gives one output, in order, the output itself says
// how far it is and what it counted. It commits offsets only to show progress.
// Of a clean stop it leaves a note in its directory; without one it says that it replayed everything.
func stub(ctx context.Context, o contract.Options) (err error) {
	note := filepath.Join(o.StateDir, "clean")
	stopped := os.Remove(note) == nil
	defer func() {
		if err == nil {
			err = os.WriteFile(note, make([]byte, 100_000), 0o644)
		}
	}()
	behaviour := os.Getenv(stubEnv)
	pauses, _ := strings.CutPrefix(behaviour, "waits at ")
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...), kgo.DefaultProduceTopic(o.Out))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	counts := map[string]uint64{}
	at, processed, err := outputSoFar(ctx, adm, o, counts)
	if err != nil {
		return err
	}
	if stopped {
		contract.Report(contract.Replayed, 0)
	} else {
		contract.Report(contract.Replayed, processed)
	}
	pause := int64(math.MaxInt64)
	for s := range strings.SplitSeq(pauses, ",") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > processed {
			pause = min(pause, n)
		}
	}
	if behaviour != "stuck" {
		cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{o.In[0]: at})
	}
	for {
		if processed >= pause {
			<-ctx.Done()
			return nil
		}
		fs := cl.PollRecords(ctx, 100)
		if ctx.Err() != nil {
			return nil
		}
		if err := fs.Err(); err != nil {
			return err
		}
		if behaviour == "dies" {
			return errors.New("the disk is full")
		}
		var out []*kgo.Record
		done := kadm.Offsets{}
		fs.EachRecord(func(r *kgo.Record) {
			v := append([]byte(nil), r.Value...)
			if behaviour != "wrong" {
				v[0] ^= 0xff
			}
			if o.Workload != "copy" {
				counts[string(r.Key)]++
				v = binary.BigEndian.AppendUint64(nil, counts[string(r.Key)])
			}
			out = append(out, &kgo.Record{Key: r.Key, Value: v, Headers: r.Headers})
			processed++
			done.AddOffset(o.In[0], r.Partition, r.Offset+1, -1)
		})
		if err := cl.ProduceSync(context.Background(), out...).FirstErr(); err != nil {
			return err
		}
		if err := adm.CommitAllOffsets(context.Background(), o.App, done); err != nil {
			return err
		}
	}
}

// outputSoFar returns where to go on and how many records were written, and fills counts with them.
func outputSoFar(ctx context.Context, adm *kadm.Client, o contract.Options, counts map[string]uint64) (at map[int32]kgo.Offset, n int64, err error) {
	ends, err := adm.ListEndOffsets(ctx, o.Out)
	if err != nil {
		return nil, 0, err
	}
	at = map[int32]kgo.Offset{}
	from := map[int32]kgo.Offset{}
	for p := range int32(workload.Partitions) {
		end, _ := ends.Lookup(o.Out, p)
		at[p], n = kgo.NewOffset().At(end.Offset), n+end.Offset
		from[p] = kgo.NewOffset().At(0)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.Out: from}))
	if err != nil {
		return nil, 0, err
	}
	defer cl.Close()
	for left := n; left > 0; {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return nil, 0, err
		}
		fs.EachRecord(func(r *kgo.Record) {
			if len(r.Value) == 8 {
				counts[string(r.Key)] = binary.BigEndian.Uint64(r.Value)
			}
			left--
		})
	}
	return at, n, nil
}
