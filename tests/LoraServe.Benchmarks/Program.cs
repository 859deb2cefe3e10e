using BenchmarkDotNet.Running;
using LoraServe.Benchmarks.Kernels;

// "report [types]": seconds of work, ratios to what the machine can do. Anything else is BenchmarkDotNet's command line.
if (args is ["report", .. string[] types])
{
    MatMulReport.Print(Console.Out, types);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(MatMulReport).Assembly).Run(args);
}
