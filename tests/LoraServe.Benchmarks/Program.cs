using BenchmarkDotNet.Running;
using LoraServe.Benchmarks.Forward;
using LoraServe.Benchmarks.Kernels;

// "report [types]", "gradients [rows]" and "steps MODEL [cases]": seconds of work, ratios to what the machine can do. Anything else is BenchmarkDotNet's command line.
switch (args)
{
    case ["report", .. string[] types]:
        MatMulReport.Print(Console.Out, types);
        break;
    case ["gradients", .. string[] rows]:
        GradientReport.Print(Console.Out, rows);
        break;
    case ["steps", string model, .. string[] choice]:
        StepReport.Print(Console.Out, model, choice);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(MatMulReport).Assembly).Run(args);
        break;
}
