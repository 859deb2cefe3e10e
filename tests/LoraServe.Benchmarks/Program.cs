using BenchmarkDotNet.Running;
using LoraServe.Benchmarks.Constraints;
using LoraServe.Benchmarks.Forward;
using LoraServe.Benchmarks.Kernels;
using LoraServe.Benchmarks.Tokenization;
using LoraServe.Benchmarks.Training;

// "report [types]", "gradients [rows]", "steps MODEL [cases]", "tokenizers FOLDER TEXT", "constraints MODEL" and "first-token MODEL ROWS.jsonl": seconds of work, ratios to what the machine can do.
// Anything else is BenchmarkDotNet's command line.
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
    case ["tokenizers", string folder, string text]:
        TokenizerReport.Print(Console.Out, folder, text);
        break;
    case ["constraints", string model]:
        await ConstraintReport.PrintAsync(Console.Out, model);
        break;
    case ["first-token", string model, string rows]:
        await FirstTokenReport.PrintAsync(Console.Out, model, rows);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(MatMulReport).Assembly).Run(args);
        break;
}
