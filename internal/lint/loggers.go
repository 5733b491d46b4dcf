package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// printers are the functions that write to a process-wide logger.
var printers = map[string][]string{
	"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "SetOutput", "SetFlags", "SetPrefix"},
	"log/slog": {"Debug", "DebugContext", "Info", "InfoContext", "Warn", "WarnContext", "Error", "ErrorContext",
		"Log", "LogAttrs", "SetDefault", "SetLogLoggerLevel"},
}

// globalLoggers: a library logs to the logger it was given. Programs may do as they like; slog.Default as the default of
// a setting is a logger given by the program.
func globalLoggers(m *Module) []Problem {
	const remedy = ": take a *slog.Logger from the config"
	var ps []Problem
	for _, f := range m.Files {
		if f.Test || f.Syntax.Name.Name == "main" {
			continue
		}
		names := loggingPackages(f)
		at := func(n ast.Node) int { return m.FSet.Position(n.Pos()).Line }
		for _, d := range f.Syntax.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					if mentionsLogger(spec, names) {
						ps = append(ps, Problem{Path: f.Path, Line: at(spec), Text: "a logger for the whole package" + remedy})
					}
				}
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if pkg, name, ok := selected(n, names); ok && slices.Contains(printers[pkg], name) {
					ps = append(ps, Problem{Path: f.Path, Line: at(n), Text: pkg + "." + name + " writes to the process's logger" + remedy})
				}
				return true
			})
		}
	}
	return ps
}

// loggingPackages returns the names under which a file imports log and log/slog, with their import paths.
func loggingPackages(f *File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Syntax.Imports {
		p := strings.Trim(spec.Path.Value, `"`)
		if _, ok := printers[p]; !ok {
			continue
		}
		name := p[strings.LastIndexByte(p, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// selected takes apart slog.Info, if slog is one of the packages.
func selected(n ast.Node, names map[string]string) (pkg, name string, ok bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	pkg, ok = names[x.Name]
	return pkg, sel.Sel.Name, ok
}

// mentionsLogger looks for a logger's type, or a function that makes or returns one, outside function bodies.
func mentionsLogger(spec ast.Spec, names map[string]string) bool {
	found := false
	ast.Inspect(spec, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if _, name, ok := selected(n, names); ok && slices.Contains([]string{"Logger", "New", "Default", "With", "NewLogLogger"}, name) {
			found = true
		}
		return true
	})
	return found
}
