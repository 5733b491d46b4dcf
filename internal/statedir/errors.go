package statedir

import "fmt"

// ForeignError says that a state directory belongs to another application: running on its rows would mix the two up.
type ForeignError struct {
	Path               string // the slot
	Owner, Application string // application ids: of the directory, and of this process
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("statedir: %s belongs to application %q, not to %q: give each application a state directory of its own", e.Path, e.Owner, e.Application)
}

// AccessError says that a file or folder cannot be made, read or written.
type AccessError struct {
	Path string
	Err  error // a *os.PathError or the like
}

func (e *AccessError) Error() string {
	return fmt.Sprintf("statedir: cannot use %s: %v: make it writable for this user, on a local disk with space left, or set Config.StateDir to another directory", e.Path, e.Err)
}

func (e *AccessError) Unwrap() error { return e.Err }

// MarkerError says that the file which tells whose slot it is cannot be understood. Nothing was deleted.
type MarkerError struct {
	Path string
	Err  error
}

func (e *MarkerError) Error() string {
	return fmt.Sprintf("statedir: %s is damaged or of a newer version: %v: restore the file, or remove the folder it is in, whose rows are then restored from the changelog topics", e.Path, e.Err)
}

func (e *MarkerError) Unwrap() error { return e.Err }
