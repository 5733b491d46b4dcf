package statedir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func open(t *testing.T, root string) *Dir {
	t.Helper()
	d, err := Open(root, "app")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

// files lists everything below a folder, with what is in it.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			text, _ := os.ReadFile(path)
			path += ": " + string(text)
		}
		list = append(list, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRestartGetsTheSameIdAndPath(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not", "there", "yet")
	first := open(t, root)
	random := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !random.MatchString(first.ProcessID()) || first.Path() != filepath.Join(root, "0") || first.Warning() != "" {
		t.Errorf("%q, %q, %q", first.ProcessID(), first.Path(), first.Warning())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	second := open(t, root)
	if second.ProcessID() != first.ProcessID() || second.Path() != first.Path() {
		t.Errorf("%s in %s, then %s in %s", first.ProcessID(), first.Path(), second.ProcessID(), second.Path())
	}
}

func TestProcessesOfOneRootGetSlotsOfTheirOwn(t *testing.T) {
	root := t.TempDir()
	const n = 8
	dirs := make([]*Dir, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			d, err := Open(root, "app")
			if err != nil {
				t.Error(err)
				return
			}
			dirs[i] = d
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	ids, paths := map[string]bool{}, map[string]string{}
	for _, d := range dirs {
		ids[d.ProcessID()] = true
		paths[d.Path()] = d.ProcessID()
	}
	if len(ids) != n || len(paths) != n {
		t.Fatalf("%d ids and %d slots for %d processes", len(ids), len(paths), n)
	}
	for _, d := range dirs {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		d := open(t, root)
		if want := filepath.Join(root, fmt.Sprint(i)); d.Path() != want || d.ProcessID() != paths[want] {
			t.Errorf("slot %d: %s with id %s, want id %s", i, d.Path(), d.ProcessID(), paths[want])
		}
	}
}

func TestDirectoryOfAnotherApplicationIsRefusedAndLeftAsItIs(t *testing.T) {
	root := t.TempDir()
	theirs, err := Open(root, "theirs")
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"running", "stopped"} {
		before := files(t, root)
		_, err := Open(root, "ours")
		var foreign *ForeignError
		if !errors.As(err, &foreign) || *foreign != (ForeignError{filepath.Join(root, "0"), "theirs", "ours"}) {
			t.Errorf("%s: error %v", state, err)
		}
		if want := fmt.Sprintf(`statedir: %s belongs to application "theirs", not to "ours": give each application a state directory of its own`, foreign.Path); err.Error() != want {
			t.Errorf("\n%v\n%s", err, want)
		}
		if after := files(t, root); !slices.Equal(before, after) {
			t.Errorf("%s: left %q, was %q", state, after, before)
		}
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Two applications may start on an empty root at once and find nothing. They may not both get it.
func TestTwoApplicationsNeverShareARoot(t *testing.T) {
	for range 50 {
		root := t.TempDir()
		var wait sync.WaitGroup
		dirs, errs := make([]*Dir, 2), make([]error, 2)
		for i := range 2 {
			wait.Go(func() { dirs[i], errs[i] = Open(root, fmt.Sprint("app ", i)) })
		}
		wait.Wait()
		if errs[0] == nil && errs[1] == nil {
			t.Fatal("both have it")
		}
		for i := range 2 {
			var foreign *ForeignError
			if errs[i] != nil && !errors.As(errs[i], &foreign) {
				t.Error(errs[i])
			}
			if errs[i] == nil {
				if err := dirs[i].Close(); err != nil {
					t.Error(err)
				}
				// The one that lost has left nothing that makes the root unusable for the other.
				again, err := Open(root, fmt.Sprint("app ", i))
				if err != nil {
					t.Fatal(err)
				}
				if err := again.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestUnusableDirectoryIsAnErrorThatSaysWhatToDo(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	write(t, file, "text")
	blocked := filepath.Join(root, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, "0", "process.json.next"), 0o750); err != nil {
		t.Fatal(err)
	}
	noLock := filepath.Join(root, "no lock")
	if err := os.MkdirAll(filepath.Join(noLock, "0", "lock"), 0o750); err != nil {
		t.Fatal(err)
	}
	noTasks := filepath.Join(root, "no tasks")
	write(t, filepath.Join(noTasks, "0", "tasks"), "text")
	for _, c := range []struct {
		name, root, path string
		err              error
	}{
		{"a file", file, file, nil},
		{"below a file", filepath.Join(file, "state"), file, nil},
		{"marker", blocked, filepath.Join(blocked, "0", "process.json.next"), syscall.EISDIR},
		{"lock", noLock, filepath.Join(noLock, "0", "lock"), syscall.EISDIR},
		{"tasks", noTasks, filepath.Join(noTasks, "0"), syscall.ENOTDIR},
	} {
		_, err := Open(c.root, "app")
		var access *AccessError
		if !errors.As(err, &access) || access.Path != c.path || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), "statedir: cannot use "+c.path+": ") || !strings.Contains(err.Error(), "set Config.StateDir to another directory") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A slot that could not be made ready is free again.
	if err := os.Remove(filepath.Join(blocked, "0", "process.json.next")); err != nil {
		t.Fatal(err)
	}
	if d := open(t, blocked); d.Path() != filepath.Join(blocked, "0") {
		t.Errorf("slot %s", d.Path())
	}
}

func TestDamagedMarkerIsAnErrorAndNothingIsDeleted(t *testing.T) {
	good, err := os.ReadFile("testdata/process-1.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "unexpected end of JSON input"},
		"cut":            {string(good[:40]), "unexpected end of JSON input"},
		"newer":          {strings.Replace(string(good), `"format": 1`, `"format": 7`, 1), "it has format 7, this version reads format 1"},
		"no application": {strings.Replace(string(good), `"word-count"`, `""`, 1), "it names no application"},
		"no id":          {strings.Replace(string(good), `"0c8c`, `"../`, 1), `its process id "../1c6e-6f2b-4b57-9c44-0e8c5f1f0a01" is no UUID`},
		"negative":       {strings.Replace(string(good), `: 3`, `: -2`, 1), "its highest worker index is -2"},
		"wrong type":     {strings.Replace(string(good), `: 3`, `: "3"`, 1), "cannot unmarshal string"},
	} {
		root := t.TempDir()
		path := filepath.Join(root, "0", "process.json")
		write(t, path, c.text)
		write(t, filepath.Join(root, "0", "tasks", "counts@3", "rows"), "precious")
		write(t, filepath.Join(root, "0", "removing", "counts@4.0", "rows"), "not even this")
		write(t, filepath.Join(root, "0", "lock"), "")
		before := files(t, root)
		_, err := Open(root, "word-count")
		var damaged *MarkerError
		if !errors.As(err, &damaged) || damaged.Path != path || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "restore the file, or remove the folder") {
			t.Errorf("%s: error %v", name, err)
		}
		if after := files(t, root); !slices.Equal(before, after) {
			t.Errorf("%s: left %q, was %q", name, after, before)
		}
		// The slot is not held by the failed attempt, and a slot that nobody reads does not stop others.
		held, err := takeLock(filepath.Join(root, "0", "lock"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := open(t, root); d.Path() != filepath.Join(root, "1") {
			t.Errorf("%s: slot %s", name, d.Path())
		}
		if err := held.release(); err != nil {
			t.Error(err)
		}
	}
}

func TestStateWithoutAMarkerIsNotTaken(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "0", "tasks", "counts@3", "rows"), "precious")
	_, err := Open(root, "app")
	var damaged *MarkerError
	if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "it is missing, but there is state beside it") {
		t.Errorf("error %v", err)
	}
}

func TestWithoutAHomeEverythingIsTemporaryAndTheUserIsTold(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := Open("", "app")
	if err != nil {
		t.Fatal(err)
	}
	if !uuid.MatchString(d.ProcessID()) || !strings.Contains(d.Warning(), d.Path()) || !strings.Contains(d.Warning(), "Config.StateDir") {
		t.Errorf("%q, %q", d.ProcessID(), d.Warning())
	}
	if err := d.RecordWorkers(3); err != nil || d.MaxWorker() != 3 {
		t.Errorf("%d, %v", d.MaxWorker(), err)
	}
	task := d.TaskPath([]string{"counts"}, 1)
	write(t, filepath.Join(task, "rows"), "rows")
	if tasks, err := d.Tasks(); err != nil || len(tasks) != 1 {
		t.Errorf("%v, %v", tasks, err)
	}
	if aside, err := d.SetAside(task); err != nil {
		t.Errorf("%s, %v", aside, err)
	}
	other, err := Open("", "app")
	if err != nil || other.ProcessID() == d.ProcessID() || other.Path() == d.Path() {
		t.Errorf("%+v, %v", other, err)
	}
	for _, d := range []*Dir{d, other} {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(d.Path()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("left behind: %v", err)
		}
	}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	var access *AccessError
	if _, err := Open("", "app"); !errors.As(err, &access) {
		t.Errorf("error %v", err)
	}
}

func TestHighestWorkerIsRememberedAndNeverGoesDown(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	if d.MaxWorker() != -1 {
		t.Errorf("a new slot had workers: %d", d.MaxWorker())
	}
	for _, n := range []int{0, 7, 3} {
		if err := d.RecordWorkers(n); err != nil {
			t.Fatal(err)
		}
		onDisk, err := readMarker(d.markerPath())
		if err != nil || onDisk != d.marker {
			t.Errorf("on disk %+v, %v; in memory %+v", onDisk, err, d.marker)
		}
	}
	id := d.ProcessID()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, root); again.MaxWorker() != 7 || again.ProcessID() != id {
		t.Errorf("%d, %s", again.MaxWorker(), again.ProcessID())
	}
}

func TestWorkersThatCannotBeRecordedAreNotRemembered(t *testing.T) {
	d := open(t, t.TempDir())
	if err := os.Mkdir(d.markerPath()+".next", 0o750); err != nil {
		t.Fatal(err)
	}
	var access *AccessError
	if err := d.RecordWorkers(3); !errors.As(err, &access) || d.MaxWorker() != -1 {
		t.Errorf("%d, %v", d.MaxWorker(), err)
	}
}

func TestClosedDirectoryIsNotTouched(t *testing.T) {
	d := open(t, t.TempDir())
	task := d.TaskPath([]string{"counts"}, 1)
	write(t, filepath.Join(task, "rows"), "rows")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	before := files(t, d.Path())
	_, tasks := d.Tasks()
	_, aside := d.Aside()
	_, set := d.SetAside(task)
	for _, err := range []error{tasks, aside, set, d.Remove(task), d.RecordWorkers(9)} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("error %v", err)
		}
	}
	if after := files(t, d.Path()); !slices.Equal(before, after) {
		t.Errorf("left %q, was %q", after, before)
	}
}

func TestApplicationWithoutAnIdIsRefused(t *testing.T) {
	if _, err := Open(t.TempDir(), ""); err == nil {
		t.Error("no error")
	}
}

func TestTasksAreListedByTheStoresInThem(t *testing.T) {
	d := open(t, t.TempDir())
	long := []string{strings.Repeat("x", 200), "y"}
	for _, task := range []string{
		d.TaskPath([]string{"totals", "counts"}, 3), d.TaskPath([]string{"Counts"}, 10), d.TaskPath(long, 0),
	} {
		write(t, filepath.Join(task, "rows"), "rows")
	}
	for _, other := range []string{"lost+found", "counts@x", "counts@03", "a~b@1", "%@%@1", "totals+counts@3", filepath.Base(d.TaskPath(long, 0)) + "3", "x" + filepath.Base(d.TaskPath(long, 0))} {
		write(t, filepath.Join(d.Path(), "tasks", other, "rows"), "somebody else's")
	}
	write(t, d.TaskPath([]string{"file"}, 1), "no folder")
	tasks, err := d.Tasks()
	want := []TaskDir{
		{d.TaskPath([]string{"Counts"}, 10), []string{"Counts"}, 10},
		{d.TaskPath([]string{"counts", "totals"}, 3), []string{"counts", "totals"}, 3},
		{d.TaskPath(long, 0), nil, 0},
	}
	if err != nil || !reflect.DeepEqual(tasks, want) {
		t.Errorf("%v, %v\nwant %v", tasks, err, want)
	}
}

func TestBrokenTaskIsSetAsideWholeAndListed(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	task := d.TaskPath([]string{"counts"}, 3)
	var want []TaskDir
	for i := range 3 {
		write(t, filepath.Join(task, "rows"), fmt.Sprint("rows ", i))
		path, err := d.SetAside(task)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(path, "rows")); err != nil || string(text) != fmt.Sprint("rows ", i) {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := os.Stat(task); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("still there: %v", err)
		}
		want = append(want, TaskDir{path, []string{"counts"}, 3})
	}
	write(t, filepath.Join(root, "0", "aside", "notes", "text"), "somebody else's")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, root)
	if aside, err := d.Aside(); err != nil || !reflect.DeepEqual(aside, want) {
		t.Errorf("%v, %v\nwant %v", aside, err, want)
	}
	if tasks, err := d.Tasks(); err != nil || len(tasks) != 0 {
		t.Errorf("%v, %v", tasks, err)
	}
	if _, err := d.SetAside(task); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestRemovedTaskIsGone(t *testing.T) {
	d := open(t, t.TempDir())
	task, other := d.TaskPath([]string{"counts"}, 3), d.TaskPath([]string{"counts"}, 4)
	write(t, filepath.Join(task, "rows"), "rows")
	write(t, filepath.Join(other, "rows"), "rows")
	for range 2 { // a task that is not there is no error
		if err := d.Remove(task); err != nil {
			t.Fatal(err)
		}
	}
	if tasks, err := d.Tasks(); err != nil || len(tasks) != 1 || tasks[0].Path != other {
		t.Errorf("%v, %v", tasks, err)
	}
	if left, err := os.ReadDir(filepath.Join(d.Path(), "removing")); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestRemovalInterruptedByACrashIsEndedAtTheNextStart(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	half := filepath.Join(d.Path(), "removing", "counts@3.0", "rows")
	write(t, half, "half of them")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, root)
	if _, err := os.Stat(filepath.Dir(half)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

func TestNothingButTasksIsMoved(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	write(t, filepath.Join(root, "1", "tasks", "counts@3", "rows"), "another slot's")
	write(t, filepath.Join(d.Path(), "tasks", "lost+found", "rows"), "somebody else's")
	write(t, filepath.Join(d.Path(), "tasks", "counts@3", "counts@3", "rows"), "deeper")
	before := files(t, root)
	for _, path := range []string{
		"", "/", root, d.Path(), filepath.Join(d.Path(), "tasks"), filepath.Join(d.Path(), "aside"), d.markerPath(), "counts@3",
		filepath.Join(root, "1", "tasks", "counts@3"), filepath.Join(d.Path(), "tasks", "lost+found"),
		filepath.Join(d.Path(), "tasks", "counts@3", "counts@3"), filepath.Join(d.Path(), "tasks") + "/../../1/tasks/counts@3",
	} {
		if err := d.Remove(path); err == nil || !strings.Contains(err.Error(), "is no task folder") {
			t.Errorf("Remove(%q): %v", path, err)
		}
		if _, err := d.SetAside(path); err == nil || !strings.Contains(err.Error(), "is no task folder") {
			t.Errorf("SetAside(%q): %v", path, err)
		}
	}
	if after := files(t, root); !slices.Equal(before, after) {
		t.Errorf("left %q, was %q", after, before)
	}
}
