using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>What is trained at one linear map: parameters that make one change of its weight.</summary>
internal abstract class TrainableUpdate(BaseModule module)
{
    /// <summary>The linear map.</summary>
    public BaseModule Module { get; } = module;

    /// <summary>The change that the parameters make now.</summary>
    public abstract ModuleEdit Edit();

    /// <summary>Adds to the parameters' gradients what derivatives by the change come to.</summary>
    public abstract void Pull(LinearEditGradient change);
}
