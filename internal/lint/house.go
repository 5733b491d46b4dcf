package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// MaxLines is the longest a file may be. Aim at 50 to 300; a longer one hides a second noun.
const MaxLines = 600

// House checks the rules of CONTRIBUTING.md that show in the syntax of one file or package.
func House(m *Module) []Problem {
	var ps []Problem
	for _, check := range []func(*Module) []Problem{packageComments, exportedComments, fileSizes, unfinished, initFunctions, globalLoggers, vagueNames} {
		ps = append(ps, check(m)...)
	}
	return ps
}

// packageComments: a package says in doc.go what it owns; a program may say it where its main is.
func packageComments(m *Module) []Problem {
	var ps []Problem
	for _, dir := range m.Packages() {
		program, documented, inDoc := false, false, false
		for _, f := range m.Files {
			if f.Package != dir || f.Test {
				continue
			}
			program = program || f.Syntax.Name.Name == "main"
			if f.Syntax.Doc != nil {
				documented = true
				inDoc = inDoc || path.Base(f.Path) == "doc.go"
			}
		}
		switch {
		case program && !documented:
			ps = append(ps, Problem{Path: dir, Text: "a program without a package comment: say what it does and how it is called"})
		case !program && !inDoc:
			ps = append(ps, Problem{Path: dir, Text: "no doc.go with a package comment: say what the package owns, with a picture and the smallest example"})
		}
	}
	return ps
}

// selfEvident are methods whose name says all: the interface they fulfil documents them.
var selfEvident = []string{"Error", "String", "Unwrap"}

// fulfils begins a comment that stands alone above methods which another type's interface documents.
const fulfils = "// The methods of "

// exportedComments: everything exported has a doc comment.
func exportedComments(m *Module) []Problem {
	var ps []Problem
	for _, f := range m.Files {
		if f.Test || f.Syntax.Name.Name == "main" {
			continue
		}
		undocumented := func(pos token.Pos, name string) {
			ps = append(ps, Problem{Path: f.Path, Line: m.FSet.Position(pos).Line, Text: name + " is exported and has no doc comment: say what it does, units, what zero means, which errors it promises"})
		}
		fulfilling := "" // the type whose methods follow such a comment
		end := f.Syntax.Name.End()
		for _, d := range f.Syntax.Decls {
			announced := slices.ContainsFunc(f.Syntax.Comments, func(c *ast.CommentGroup) bool {
				return end < c.Pos() && c.End() < d.Pos() && strings.HasPrefix(c.List[0].Text, fulfils)
			})
			end = d.End()
			switch d := d.(type) {
			case *ast.FuncDecl:
				if announced {
					fulfilling = receiver(d)
				} else if fulfilling != receiver(d) {
					fulfilling = ""
				}
				documented := d.Doc != nil || d.Recv != nil && (slices.Contains(selfEvident, d.Name.Name) || fulfilling == receiver(d))
				if d.Name.IsExported() && ast.IsExported(receiver(d)) && !documented {
					undocumented(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				fulfilling = ""
				for _, spec := range d.Specs {
					if name := bare(d, spec); name != nil {
						undocumented(name.Pos(), name.Name)
					}
				}
			}
		}
	}
	return ps
}

// receiver returns the name of a method's type; that of a plain function is as good as exported.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return "Exported"
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// bare returns an exported name without a comment in a spec, nil if there is none. A comment on a group of constants or
// variables speaks for all of them, and so does the type that begins a group of constants.
func bare(d *ast.GenDecl, spec ast.Spec) *ast.Ident {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && (d.Doc == nil || d.Lparen.IsValid()) {
			return s.Name
		}
	case *ast.ValueSpec:
		first, ok := d.Specs[0].(*ast.ValueSpec)
		if s.Doc != nil || s.Comment != nil || d.Doc != nil || ok && d.Tok == token.CONST && first.Type != nil {
			return nil
		}
		for _, n := range s.Names {
			if n.IsExported() {
				return n
			}
		}
	}
	return nil
}

func fileSizes(m *Module) []Problem {
	var ps []Problem
	for _, f := range m.Files {
		if n := f.lines(); n > MaxLines {
			ps = append(ps, Problem{Path: f.Path, Text: fmt.Sprintf("%d lines, more than %d: which second noun hides in it?", n, MaxLines)})
		}
	}
	return ps
}

// unfinishedWords is put together so as not to find itself.
var unfinishedWords = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func unfinished(m *Module) []Problem {
	var ps []Problem
	for _, f := range m.Files {
		n := 0
		for line := range strings.Lines(string(f.Text)) {
			n++
			if word := unfinishedWords.FindString(line); word != "" {
				ps = append(ps, Problem{Path: f.Path, Line: n, Text: word + ": finish it, or open an issue"})
			}
		}
	}
	return ps
}

func initFunctions(m *Module) []Problem {
	var ps []Problem
	for _, f := range m.Files {
		for _, d := range f.Syntax.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
				ps = append(ps, Problem{Path: f.Path, Line: m.FSet.Position(d.Pos()).Line, Text: "an init function: importing a package must do nothing"})
			}
		}
	}
	return ps
}

// vague are words that say nothing about what is in a file, package or type.
var vague = []string{"util", "utils", "helper", "helpers", "manager", "common", "impl", "misc"}

func vagueNames(m *Module) []Problem {
	const text = " says nothing about what is in it: name the thing"
	var ps []Problem
	for _, dir := range m.Packages() {
		if slices.Contains(vague, path.Base(dir)) {
			ps = append(ps, Problem{Path: dir, Text: path.Base(dir) + text})
		}
	}
	for _, f := range m.Files {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test")
		for word := range strings.SplitSeq(base, "_") {
			if slices.Contains(vague, word) {
				ps = append(ps, Problem{Path: f.Path, Text: word + text})
			}
		}
		for _, d := range f.Syntax.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if ok && slices.ContainsFunc(vague, func(w string) bool { return strings.HasSuffix(strings.ToLower(t.Name.Name), w) }) {
					ps = append(ps, Problem{Path: f.Path, Line: m.FSet.Position(t.Pos()).Line, Text: t.Name.Name + text})
				}
			}
		}
	}
	return ps
}
