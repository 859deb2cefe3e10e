using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Models;

/// <summary>Turns words into tokens.</summary>
internal abstract class TokenModel
{
    /// <summary>A stage of one encoding run that puts tokens out.</summary>
    public abstract IPieceSink CreateStage(TokenOutput output);
}
