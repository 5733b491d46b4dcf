package testkafka

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Program is a Java program that tests run: Java -cp ClassPath and the name of a class.
type Program struct {
	Java      string // program
	ClassPath string
}

// BuildProgram builds the Maven project in a folder, a pom.xml and src, and keeps what comes out with the jars of brokers:
// once for the same sources. It fails with *Missing where this machine has no Java, no Maven, or no jars to build with.
func BuildProgram(ctx context.Context, project string) (Program, error) {
	cache, err := jarCache()
	if err != nil {
		return Program{}, err
	}
	return buildProgram(ctx, cache, project)
}

func buildProgram(ctx context.Context, cache, project string) (Program, error) {
	java, err := findJava(ctx)
	if err != nil {
		return Program{}, err
	}
	sources, err := sourcesOf(project)
	if err != nil {
		return Program{}, err
	}
	project, err = filepath.Abs(project)
	if err != nil {
		return Program{}, fmt.Errorf("testkafka: %w", err)
	}
	folder := filepath.Join(cache, "program-"+filepath.Base(project))
	folder, err = kept(folder, "sources", sources, func(work string) (string, error) {
		if err := os.CopyFS(filepath.Join(work, "src"), os.DirFS(filepath.Join(project, "src"))); err != nil {
			return "", fmt.Errorf("testkafka: cannot build %s: %w", project, err)
		}
		pom, err := os.ReadFile(filepath.Join(project, "pom.xml"))
		if err == nil {
			err = os.WriteFile(filepath.Join(work, "pom.xml"), pom, 0o644)
		}
		if err != nil {
			return "", fmt.Errorf("testkafka: cannot build %s: %w", project, err)
		}
		made := filepath.Join(work, "target")
		return made, runMaven(ctx, work, "compile", "dependency:copy-dependencies", "-DoutputDirectory=target/libs", "-DincludeScope=runtime")
	})
	if err != nil {
		return Program{}, err
	}
	list := string(filepath.ListSeparator)
	return Program{Java: java, ClassPath: filepath.Join(folder, "classes") + list + filepath.Join(folder, "libs", "*")}, nil
}

// sourcesOf returns all that a project is built from, one file after the other.
func sourcesOf(project string) ([]byte, error) {
	var all bytes.Buffer
	root := os.DirFS(project)
	for _, from := range []string{"pom.xml", "src"} {
		err := fs.WalkDir(root, from, func(path string, d fs.DirEntry, err error) error { // in the order of names
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := fs.ReadFile(root, path)
			fmt.Fprintf(&all, "== %s\n%s\n", path, raw)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("testkafka: cannot read the sources of %s: %w", project, err)
		}
	}
	return all.Bytes(), nil
}
