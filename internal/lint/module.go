package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Module is the parsed Go files of a module, without those of modules inside it.
type Module struct {
	Path  string // of the module: import paths begin with it
	FSet  *token.FileSet
	Files []*File // in order of their paths
}

// A File is one Go file, parsed whatever its build constraints.
type File struct {
	Path    string // from the module's root, with slashes
	Package string // folder: "." for the root package
	Test    bool   // named _test.go
	Imports []Import
	Syntax  *ast.File
	Text    []byte
}

// An Import is one import of a file.
type Import struct {
	Path string
	Line int
}

// A Problem is a rule broken at a place.
type Problem struct {
	Path string // file or folder, from the module's root
	Line int    // 0: the whole of it
	Text string // which rule, and what to do
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

// Load parses the Go files of the module at the root of a file system. As go itself does, it leaves out folders named
// testdata or vendor, those that begin with a dot or an underscore, and modules inside the module.
func Load(fsys fs.FS) (*Module, error) {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("lint: not a module: %w", err)
	}
	line, _, _ := strings.Cut(string(mod), "\n")
	name, ok := strings.CutPrefix(line, "module ")
	if !ok {
		return nil, fmt.Errorf("lint: go.mod begins with %q: want module PATH", line)
	}
	m := &Module{Path: strings.TrimSpace(name), FSet: token.NewFileSet()}
	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && leftOut(fsys, p, d.Name()):
			return fs.SkipDir
		case d.IsDir() || path.Ext(p) != ".go":
			return nil
		}
		f, err := parse(m.FSet, fsys, p)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return m, nil
}

func leftOut(fsys fs.FS, dir, name string) bool {
	if dir == "." {
		return false
	}
	if name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_' {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

func parse(fset *token.FileSet, fsys fs.FS, p string) (*File, error) {
	text, err := fs.ReadFile(fsys, p)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &File{Path: p, Package: path.Dir(p), Test: strings.HasSuffix(p, "_test.go"), Syntax: syntax, Text: text}
	for _, spec := range syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", p, spec.Path.Value, err)
		}
		f.Imports = append(f.Imports, Import{Path: name, Line: fset.Position(spec.Pos()).Line})
	}
	return f, nil
}

// Packages returns the folders that hold Go files, in order.
func (m *Module) Packages() []string {
	var dirs []string
	for _, f := range m.Files {
		dirs = append(dirs, f.Package)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// inside returns the folder of a package of this module, by its import path.
func (m *Module) inside(importPath string) (dir string, ok bool) {
	if importPath == m.Path {
		return ".", true
	}
	return strings.CutPrefix(importPath, m.Path+"/")
}

// lines returns how many lines a file has.
func (f *File) lines() int {
	n := bytes.Count(f.Text, []byte("\n"))
	if len(f.Text) > 0 && f.Text[len(f.Text)-1] != '\n' {
		n++
	}
	return n
}

// matches reports whether a package is the one named, or inside the tree named as "examples/...".
func matches(pattern, dir string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == tree || strings.HasPrefix(dir, tree+"/")
	}
	return pattern == dir
}
