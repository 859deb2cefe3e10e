using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public class HostileFilesTests
{
    public static TheoryData<string, string, bool> Safetensors => HostileFiles.In("safetensors");

    public static TheoryData<string, string, bool> Gguf => HostileFiles.In("gguf");

    [SkippableTheory]
    [MemberData(nameof(Safetensors))]
    public void Open_HostileSafetensors_IsRefused(string file, string kind, bool strict) =>
        Check(path => SafetensorsFile.Open(path).Dispose(), file, mustLoad: kind == "valid", mustFail: kind != "valid" && strict);

    /// <summary>Some of these files have no defect of their own, only as models.</summary>
    [SkippableTheory]
    [MemberData(nameof(Gguf))]
    public void Open_HostileGguf_LoadsOrNamesTheFile(string file, string kind, bool strict) =>
        Check(path => GgufFile.Open(path).Dispose(), file, mustLoad: kind == "valid" && strict, mustFail: false);

    private static void Check(Action<string> open, string file, bool mustLoad, bool mustFail)
    {
        string path = HostileFiles.Require(file);
        Exception? error = HostileFiles.Load(() => open(path));
        if (mustLoad)
        {
            Assert.Null(error);
        }
        else if (mustFail || error is not null)
        {
            Assert.Contains(path, Assert.IsType<TensorFileException>(error).Message, StringComparison.Ordinal);
        }
    }
}
