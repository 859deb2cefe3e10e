using BenchmarkDotNet.Attributes;
using LoraServe.Compute.Machine;
using LoraServe.Compute.Tensors;
using LoraServe.Compute.Workers;

namespace LoraServe.Benchmarks.Kernels;

/// <summary>A feed-forward matrix of a 135 M model at the row counts of decode, a batch and a prompt. Allocated must read 0 B.</summary>
[MemoryDiagnoser]
public class MatMulBenchmarks : IDisposable
{
    private WorkerPool? _pool;
    private MatMulProduct? _product;

    [Params(ElementType.Q4_1, ElementType.Q4_0, ElementType.Q8_0, ElementType.F16, ElementType.F32)]
    public ElementType Type { get; set; }

    [Params(1, 32, 480)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _pool = new WorkerPool(ProcessorTopology.PhysicalCores);
        _product = new MatMulProduct(Type, 1536, 576, Rows);
    }

    [Benchmark]
    public void Run() => _product!.Run(_pool!);

    [GlobalCleanup]
    public void Dispose()
    {
        _product?.Dispose();
        _pool?.Dispose();
        GC.SuppressFinalize(this);
    }
}
