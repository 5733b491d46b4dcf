package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// awaitCounted blocks until the group has committed everything there is to read: the lines, and the words made of them.
func awaitCounted(ctx context.Context, adm *kadm.Client, show func(done, all int64)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		done, all, err := counted(ctx, adm)
		if err == nil {
			show(done, all)
			if done == all && all > 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// counted returns how much of the input topics is committed. The lines are asked for first: once they are all committed, no
// more words come. The ends count what is not committed yet: the offset of a line may be seen committed before its words
// can be read.
func counted(ctx context.Context, adm *kadm.Client) (done, all int64, err error) {
	for _, topic := range []string{Lines.Name(), application + "-by-word-repartition"} {
		committed, err := adm.FetchOffsets(ctx, application)
		if err != nil {
			return 0, 0, err
		}
		ends, err := endOffsets(ctx, adm, topic)
		if err != nil {
			return 0, 0, err
		}
		for part, end := range ends {
			all += end
			if o, ok := committed.Lookup(topic, part); ok {
				done += min(o.At, end) // committed in the meantime
			}
		}
	}
	return done, all, nil
}

// readCounts reads the topic word-counts as anybody would: a plain consumer that sees committed records only. The last count of a
// word is its count.
func readCounts(ctx context.Context, brokers []string) (map[string]int64, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(Counts.Name()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	left, err := endOffsets(ctx, kadm.NewClient(cl), Counts.Name())
	if err != nil {
		return nil, err
	}
	for part, end := range left {
		if end == 0 {
			delete(left, part)
		}
	}
	counts := map[string]int64{}
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return nil, err
		}
		fs.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				counts[string(r.Key)] = int64(binary.BigEndian.Uint64(r.Value))
			}
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
	}
	return counts, nil
}

// dump writes all counts as word, tab, count, sorted by the bytes of the word.
func dump(path string, counts map[string]int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, word := range slices.Sorted(keys(counts)) {
		fmt.Fprintf(w, "%s\t%d\n", word, counts[word])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func keys(m map[string]int64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// top returns the n most frequent words.
func top(counts map[string]int64, n int) []string {
	list := slices.Collect(keys(counts))
	slices.SortFunc(list, func(a, b string) int {
		if counts[a] != counts[b] {
			return int(min(max(counts[b]-counts[a], -1), 1))
		}
		return strings.Compare(a, b)
	})
	return list[:min(n, len(list))]
}
