using LoraServe.Compute.Machine;

namespace LoraServe.Compute.Tests.Machine;

public sealed class ProcessorTopologyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-topology-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0-3", "0-1;0-1;2-3;2-3", 2)]
    [InlineData("0-1,4-5", "0,4;1,5;2;3;0,4;1,5", 2)]
    [InlineData("0,2,3", "0-1;0-1;2;3", 3)]
    [InlineData("1", "0-1;0-1", 1)]
    public void CountCores_AllowedProcessors_CountsThoseOfOneCoreOnce(string allowed, string siblings, int cores)
    {
        string[] lists = siblings.Split(';');
        for (int processor = 0; processor < lists.Length; processor++)
        {
            DirectoryInfo topology = Directory.CreateDirectory(Path.Combine(_folder, $"cpu{processor}", "topology"));
            File.WriteAllText(Path.Combine(topology.FullName, "thread_siblings_list"), lists[processor] + "\n");
        }

        string status = Path.Combine(_folder, "status");
        File.WriteAllText(status, $"Name:\tx\nCpus_allowed_list:\t{allowed}\n");
        Assert.Equal(cores, ProcessorTopology.CountCores(status, _folder));
    }

    [Fact]
    public void CountCores_UnknownSystem_CountsEveryProcessor()
    {
        Assert.Equal(Environment.ProcessorCount, ProcessorTopology.CountCores(Path.Combine(_folder, "none"), _folder));
        Assert.InRange(ProcessorTopology.PhysicalCores, 1, Environment.ProcessorCount);
    }
}
