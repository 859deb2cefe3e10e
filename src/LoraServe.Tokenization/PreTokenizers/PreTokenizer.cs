using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PreTokenizers;

/// <summary>Cuts a text into the words that the model tokenizes one by one.</summary>
internal abstract class PreTokenizer
{
    /// <summary>A stage of one encoding run that hands its pieces on.</summary>
    public abstract IPieceSink CreateStage(IPieceSink next);
}
