package metamorphic

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

// A disk holds the databases of one run, for a driver that is started several times. Tasks are told apart by the names of
// their stores, and by the order in which those with the same ones are opened.
//
//	rebuild    all are new
//	reopen     as they were closed
//	backward   as they were when they were reopened last: what a crash may leave
type disk struct {
	engine *pebblestore.Engine // nil: in memory
	dir    string
	made   int                // names for new folders
	marks  bool               // copies are kept, to go back to
	opened map[string]int     // tasks with these stores since the last start
	have   map[string]*placed // by task
}

// A placed database is that of a task: what it has in its folder, or in memory.
type placed struct {
	memory store.DB
	folder string // of the database
	marked string // of its copy; "": none
}

func newDisk(engine *pebblestore.Engine, dir string, marks bool) *disk {
	return &disk{engine: engine, dir: dir, marks: marks, opened: map[string]int{}, have: map[string]*placed{}}
}

// open opens the database of the next task.
func (d *disk) open(stores ...string) (store.DB, error) {
	names := strings.Join(stores, " ")
	task := fmt.Sprintf("%s/%d", names, d.opened[names])
	d.opened[names]++
	at := d.have[task]
	if at == nil {
		at = &placed{}
		d.have[task] = at
		if d.engine == nil {
			at.memory = memstore.Open(stores...)
		} else {
			at.folder = d.folder()
		}
	}
	if d.engine == nil {
		return kept{at.memory}, nil
	}
	if _, err := os.Stat(at.folder); err == nil && d.marks && at.marked == "" {
		at.marked = d.folder()
		if err := os.CopyFS(at.marked, os.DirFS(at.folder)); err != nil {
			return nil, err
		}
	}
	return d.engine.Open(at.folder, stores, pebblestore.Options{})
}

func (d *disk) folder() string {
	d.made++
	return filepath.Join(d.dir, fmt.Sprint(d.made))
}

// rebuild forgets all databases. The next start begins with new ones.
func (d *disk) rebuild() { d.opened, d.have = map[string]int{}, map[string]*placed{} }

// reopen has the next start begin with the databases as they are.
func (d *disk) reopen() { d.opened = map[string]int{} }

// backward has the next start begin with the copies; databases without one are as they are.
func (d *disk) backward() {
	d.opened = map[string]int{}
	for _, at := range d.have {
		if at.marked != "" {
			at.folder, at.marked = at.marked, ""
		}
	}
}

// A kept database in memory outlives its closing: what was not committed is lost, as of one on disk.
type kept struct{ store.DB }

func (k kept) Close() error {
	k.Abort()
	return nil
}
