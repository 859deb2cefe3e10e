using LoraServe.Models;
using LoraServe.Testing;
using LoraServe.Torch.Native;

namespace LoraServe.Torch.Tests.Native;

/// <summary>What is missing is said.</summary>
public sealed class LibTorchTests
{
    [Fact]
    public void Open_FolderWithoutLibTorch_SaysWhatIsExpectedThere()
    {
        using var folder = new TemporaryDirectory();
        DeviceException missing = Assert.Throws<DeviceException>(() => TorchDevice.Open(new TorchDeviceOptions { LibTorch = folder.Path }));
        Assert.Contains($"--libtorch: {folder.Path} has no libtorch_cpu.so", missing.Message, StringComparison.Ordinal);
        Assert.Contains("-p:LibTorch=cpu", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2.9.1+cpu", false)]
    [InlineData("2.10.0", true)]
    public void Check_BuildVersion_IsTheOneThatTheBindingIsFor(string version, bool fits)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("build-version"), version);
        DeviceException? refusal = Record.Exception(() => LibTorch.CheckVersion(folder.Path)) as DeviceException;
        Assert.Equal(fits, refusal is null);
        Assert.True(fits || refusal!.Message.EndsWith("is libtorch 2.9.1; expected 2.10.", StringComparison.Ordinal), refusal?.Message);
    }

    [Fact]
    public void Check_PythonInstallation_ReadsItsVersion()
    {
        using var folder = new TemporaryDirectory();
        Directory.CreateDirectory(folder.File("lib"));
        File.WriteAllText(folder.File("version.py"), "__version__ = '2.11.0+cu130'\n");
        Assert.Contains("2.11.0", Assert.Throws<DeviceException>(() => LibTorch.CheckVersion(folder.File("lib"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reason_OlderRuntime_NamesTheVersionAndTheSystemsThatHaveIt()
    {
        string reason = LibTorch.Reason("/x/libLibTorchSharp.so", "cannot load: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /x/libLibTorchSharp.so)");
        Assert.Contains("GLIBCXX_3.4.32", reason, StringComparison.Ordinal);
        Assert.Contains("/lib/libstdc++.so.6", reason, StringComparison.Ordinal);
        Assert.Contains("Debian 13", reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Open_AnotherLibTorch_IsRefusedRatherThanLoadedBesideTheFirst()
    {
        OpenTorch.With();
        using var folder = new TemporaryDirectory();
        File.Copy(Path.Combine(LibTorch.Folder!, "libc10.so"), folder.File("libtorch_cpu.so"));
        Assert.Contains("one libtorch for a process", Assert.Throws<DeviceException>(() => TorchDevice.Open(new TorchDeviceOptions { LibTorch = folder.Path })).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Open_GpuWithALibTorchForProcessors_SaysSo()
    {
        OpenTorch.With();
        Skip.If(File.Exists(Path.Combine(LibTorch.Folder!, "libtorch_cuda.so")), "this libtorch is for GPUs");
        Assert.Contains("for processors only", Assert.Throws<DeviceException>(() => TorchDevice.Open(new TorchDeviceOptions { Gpu = 0 })).Message, StringComparison.Ordinal);
    }
}
