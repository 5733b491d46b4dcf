package pebblestore

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/store"
)

var kills = flag.Int("kills", 15, "how often TestAKilledProcessLeavesAPrefixOfItsTransactions kills")

const killedEnv = "PEBBLESTORE_TEST_KILLED_DIR"

// killedDir is set in the process that is to be killed.
func killedDir() string { return os.Getenv(killedEnv) }

// runKilled does transactions in a directory, from where it was left, until it is killed. It prints the number of each
// after its commit, and with "flushed" before it after it was made durable.
func runKilled(dir string) {
	die := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	db, err := NewEngine(4<<20, nil).Open(dir, historyStores, Options{})
	die(err)
	h := newHistory()
	cp, _ := db.Checkpoint("a-changelog")
	h.n = cp.Offset // its rows are in the database
	fmt.Println("opened")
	for {
		die(h.write(db))
		h.n++
		fmt.Println(h.n)
		if h.n%97 == 0 {
			die(db.Flush(h.n))
			fmt.Println("flushed", h.n)
		}
	}
}

func TestAKilledProcessLeavesAPrefixOfItsTransactions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	rng := rand.New(rand.NewPCG(1, 4))
	h := newHistory()
	states := []map[string]string{maps.Clone(h.rows)}
	kills := *kills
	if testing.Short() {
		kills = 4
	}
	for i := range kills {
		done, flushed := killOnce(t, dir, 50+rng.IntN(1500), i == 0)
		engine := NewEngine(4<<20, nil)
		db, err := engine.Open(dir, historyStores, Options{})
		check(t, err)
		if db.Clean() {
			t.Fatal("killed and clean")
		}
		n, rows := found(t, db)
		before := h.n
		lost, most := 0, 2*engine.batch(1)
		for h.n < n {
			h.step()
			states = append(states, nil)
		}
		for h := (&history{rows: maps.Clone(h.rows), n: h.n}); h.n < done; {
			h.step()
			lost += h.size[len(h.size)-1]
		}
		if lost > most+10_000 {
			t.Fatalf("the store goes to transaction %d of %d: %d bytes are to be replayed, want at most %d", n, done, lost, most)
		}
		if n < flushed || n < before {
			t.Fatalf("the store goes to transaction %d: %d was flushed, and it was at %d before", n, flushed, before)
		}
		if !maps.Equal(rows, h.rows) {
			t.Fatalf("kill %d: the store is not as after transaction %d", i, n)
		}
		for range 300 { // the replay, from the checkpoint on
			check(t, h.write(db))
			h.step()
			states = append(states, nil)
		}
		if n, rows := found(t, db); n != h.n || !maps.Equal(rows, h.rows) {
			t.Fatal("replaying does not give the state")
		}
		check(t, db.Close())
		check(t, engine.Close())
	}
	t.Logf("%d kills, %d transactions", kills, h.n)
}

// killOnce runs the process until it has printed some lines, and kills it. It returns the last transaction it said was
// committed, and the last that was flushed.
func killOnce(t *testing.T, dir string, lines int, tryToOpen bool) (done, flushed int64) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	in := bufio.NewScanner(out)
	for n := 0; in.Scan(); n++ {
		line := in.Text()
		if strings.HasPrefix(line, "error") {
			t.Error(line)
		}
		if after, ok := strings.CutPrefix(line, "flushed "); ok {
			flushed, err = strconv.ParseInt(after, 10, 64)
			check(t, err)
		} else if n, err := strconv.ParseInt(line, 10, 64); err == nil {
			done = n
		}
		if n == 0 && tryToOpen {
			engine := NewEngine(1<<20, nil)
			_, err := engine.Open(dir, nil, Options{})
			if _, ok := errors.AsType[*store.LockedError](err); !ok || !strings.Contains(err.Error(), dir) {
				t.Errorf("opening the directory of another process returns %v", err)
			}
			check(t, engine.Close())
		}
		if n == lines {
			check(t, cmd.Process.Kill())
			break
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process was not killed")
	}
	return done, flushed
}
