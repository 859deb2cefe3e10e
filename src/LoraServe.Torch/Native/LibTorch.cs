using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using LoraServe.Models;

namespace LoraServe.Torch.Native;

/// <summary>The libtorch that this process computes with: found, loaded and checked, once.</summary>
/// <remarks>
/// Two of them in one process end it, and TorchSharp's own search copies half a gigabyte where it does not find what it expects. So
/// the files are loaded from one folder by their full paths before TorchSharp is first called.
/// </remarks>
internal static partial class LibTorch
{
    /// <summary>Environment variable that names the folder of a libtorch.</summary>
    public const string Variable = "LORASERVE_LIBTORCH";

    /// <summary>The version that TorchSharp's library is built for; others have other functions.</summary>
    public const string Version = "2.10";

    private const string Binding = "LibTorchSharp";
    private const string Processor = "libtorch_cpu.so";
    private const string Cuda = "libtorch_cuda.so";

    private static readonly Lock s_gate = new();
    private static string? s_folder;
    private static nint s_processor;

    /// <summary>Where it was loaded from; null before <see cref="Load"/>.</summary>
    public static string? Folder => s_folder;

    /// <summary>Loads it, or does nothing where it is loaded.</summary>
    /// <param name="folder">Its folder, such as <c>torch/lib</c> of a Python installation; null for <see cref="Variable"/>, or else <c>libtorch</c> beside the program.</param>
    /// <param name="gpu">The GPU that it is to use, if any: looked for before gigabytes are loaded for nothing.</param>
    /// <exception cref="DeviceException">There is none, or it cannot be loaded here.</exception>
    public static void Load(string? folder, int? gpu = null)
    {
        string path = Find(folder);
        if (gpu is { } number)
        {
            if (!File.Exists(Path.Combine(path, Cuda)))
            {
                throw new DeviceException($"the libtorch in {path} is for processors only; expected one with {Cuda}: build with -p:LibTorch=cuda, or name one with --libtorch DIR.");
            }

            CudaDriver.Require(number);
        }

        lock (s_gate)
        {
            if (s_folder is not null)
            {
                if (s_folder != path)
                {
                    throw new DeviceException($"libtorch was loaded from {s_folder}; expected one libtorch for a process, not {path} too.");
                }

                return;
            }

            CheckVersion(path);
            foreach (string file in (string[])["libc10.so", Processor, "libc10_cuda.so", Cuda, "libtorch.so"])
            {
                if (File.Exists(Path.Combine(path, file)))
                {
                    nint library = LoadFile(Path.Combine(path, file));
                    s_processor = file == Processor ? library : s_processor;
                }
            }

            nint binding = LoadFile(FindBinding(path));
            NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => name == Binding ? binding : 0);
            torch.InitializeDeviceType(DeviceType.CPU);
            s_folder = path;
        }
    }

    /// <summary>Whether the library that was loaded has an operation, by its name for linkers.</summary>
    public static bool Has(string symbol) => s_processor != 0 && NativeLibrary.TryGetExport(s_processor, symbol, out _);

    private static string Find(string? named)
    {
        string? variable = Environment.GetEnvironmentVariable(Variable);
        string[] beside = [Path.Combine(AppContext.BaseDirectory, "libtorch"), .. BesideProgram()];
        string folder = named ?? (string.IsNullOrEmpty(variable) ? Array.Find(beside, place => File.Exists(Path.Combine(place, Processor))) ?? beside[0] : variable);
        if (File.Exists(Path.Combine(folder, Processor)))
        {
            return Path.GetFullPath(folder);
        }

        string expected = $"expected a folder with {Processor} of libtorch {Version}: build with -p:LibTorch=cpu or cuda, or name one with --libtorch DIR or {Variable}";
        throw new DeviceException(
            named is not null ? $"--libtorch: {named} has no {Processor}; {expected}."
            : folder != beside[0] ? $"{Variable}: {folder} has no {Processor}; {expected}."
            : $"there is no libtorch here; {expected}.");
    }

    /// <summary>Where packages' libraries lie: beside a program for one system, or in a folder of it in a program for several.</summary>
    private static string[] BesideProgram() => [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native")];

    /// <summary>TorchSharp's library: that beside libtorch, if there is one, else that of the program.</summary>
    private static string FindBinding(string folder)
    {
        string file = $"lib{Binding}.so";
        string[] places = [folder, .. BesideProgram()];
        return places.Select(place => Path.Combine(place, file)).FirstOrDefault(File.Exists)
            ?? throw new DeviceException($"{file} is neither in {folder} nor beside the program; expected it where the program was built for {RuntimeInformation.RuntimeIdentifier}, and libtorch runs on linux-x64 only.");
    }

    internal static void CheckVersion(string folder)
    {
        string[] places = [Path.Combine(folder, "build-version"), Path.Combine(folder, "..", "build-version"), Path.Combine(folder, "..", "version.py")];
        if (places.FirstOrDefault(File.Exists) is { } file && Number().Match(File.ReadAllText(file)) is { Success: true } found
            && !found.Value.StartsWith($"{Version}.", StringComparison.Ordinal))
        {
            throw new DeviceException($"{folder} is libtorch {found.Value}; expected {Version}.");
        }
    }

    private static nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new DeviceException(Reason(path, e.Message), e);
        }
    }

    internal static string Reason(string path, string message) =>
        MissingVersion().Match(message) is { Success: true } missing
            ? $"{path} needs {missing.Groups["version"].Value}, which {missing.Groups["library"].Value} of this system has not; expected a newer system: Debian 13, Ubuntu 24.04, or an image of .NET built on them."
            : $"{path} cannot be loaded: {message.Split('\n').FirstOrDefault(line => line.Contains(".so", StringComparison.Ordinal))?.Trim() ?? message}";

    [GeneratedRegex(@"\d+\.\d+\.\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"(?<library>[^\s:]+): version `(?<version>[^']+)' not found")]
    private static partial Regex MissingVersion();
}
