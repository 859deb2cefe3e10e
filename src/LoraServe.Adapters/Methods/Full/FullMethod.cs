using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Full;

/// <summary>Full fine-tuning, which makes a model (Howard and Ruder 2018, arXiv:1801.06146).</summary>
internal static class FullMethod
{
    /// <summary>The method.</summary>
    public static Method Full { get; } = new()
    {
        Train = (_, model, _) => new TrainableWeights(model),
        Variants =
        [
            new()
            {
                Name = "full",
                Kind = MethodKind.Whole,
                Description = "every parameter of the base",
                Paper = "1801.06146",
                LearningRate = 5e-5,
                MakesModel = true,
            },
        ],
    };
}
