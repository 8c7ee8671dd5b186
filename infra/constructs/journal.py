"""Where the journal is kept for good: a bucket that only takes, and forgets nothing."""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct


class Journal(Construct):
    """Create the bucket: private, encrypted, every version kept, never deleted with the stack."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Journal")
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            versioned=True,
        )
