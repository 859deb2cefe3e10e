using System.Reflection;
using System.Runtime.Loader;
using LoraServe.Testing;

namespace LoraServe.Architecture.Tests;

/// <summary>The tests of a project as a clone without the shared files sees them: a copy of its assemblies whose statics find no such folder.</summary>
internal sealed class LoneTestAssembly : AssemblyLoadContext
{
    private readonly AssemblyDependencyResolver _files;

    private LoneTestAssembly(string path)
        : base(Path.GetFileNameWithoutExtension(path))
    {
        _files = new AssemblyDependencyResolver(path);

        // What others made is taken as it is loaded already, so that the attributes of xunit are those that this project knows.
        Resolving += (context, name) => _files.ResolveAssemblyToPath(name) is { } file ? context.LoadFromAssemblyPath(file) : null;
    }

    /// <summary>Loads the tests of a project, as they were built last; null where they were not.</summary>
    public static Assembly? Load(string project)
    {
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        string path = Path.Combine(Repository.Root, "artifacts", "bin", project, configuration, $"{project}.dll");
        if (!File.Exists(path))
        {
            return null;
        }

        var context = new LoneTestAssembly(path);
        Type files = context.LoadFromAssemblyName(typeof(SharedFiles).Assembly.GetName()).GetType(typeof(SharedFiles).FullName!, throwOnError: true)!;
        files.GetProperty(nameof(SharedFiles.Root))!.SetValue(null, null);
        return context.LoadFromAssemblyPath(path);
    }

    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name!.StartsWith("LoraServe.", StringComparison.Ordinal) && _files.ResolveAssemblyToPath(assemblyName) is { } file ? LoadFromAssemblyPath(file) : null;
}
