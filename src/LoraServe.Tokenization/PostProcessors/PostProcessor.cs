using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.PostProcessors;

/// <summary>Changes the tokens of a text when all are there.</summary>
internal abstract class PostProcessor
{
    /// <summary>Changes the tokens in place.</summary>
    /// <param name="output">The tokens.</param>
    /// <param name="addSpecialTokens">Whether to put in the tokens that frame a text.</param>
    public abstract void Process(TokenOutput output, bool addSpecialTokens);

    /// <summary>What it does besides putting tokens around a text.</summary>
    public virtual IEnumerable<PostProcessor> WithoutFrame() => [this];
}
